// idx files: BAD_INPUTS H1 to H8, G1, G11.
#include "tests/data/files.h"

namespace dlcc::data {
namespace {

struct IdxScenario : Scenario {
  explicit IdxScenario(const std::string& images,
                       const std::string& labels = idx_file(0x08, {2}, std::string("\x01\x02"))) {
    source().format = Format::idx;
    folder.write("images", images);
    folder.write("labels", labels);
    add({"image", ElementType::f32, {2, 3}}, "images");
    add({"label", ElementType::i32, {}, true, 10}, "labels");
    train.batch_size = 2;
  }
};
const std::string payload("\x00\x01\x02\x03\x04\x05\xfa\xfb\xfc\xfd\xfe\xff", 12);
const std::vector<float> numbers{0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255};

TEST(Idx, ReadsBytesAndLabels) {
  IdxScenario s(idx_file(0x08, {2, 2, 3}, payload));
  OpenedData d = s.open();
  EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), numbers);
  EXPECT_EQ(rows_of<int32_t>(*d.train, s.tensors, 1), (std::vector<int32_t>{1, 2}));
}

TEST(Idx, UnpacksGzipTransparently) {
  IdxScenario plain(idx_file(0x08, {2, 2, 3}, payload)), packed(gzipped(idx_file(0x08, {2, 2, 3}, payload)));
  OpenedData a = plain.open(), b = packed.open();
  EXPECT_EQ(rows_of<float>(*b.train, packed.tensors, 0), numbers);
  EXPECT_EQ(a.train->hash(), b.train->hash());
}

TEST(Idx, ReadsEveryElementType) {
  std::vector<float> small{-3, 0, 7, 100, 5, 6, 1, 2, 3, 4, 5, -100};
  auto check = [&](unsigned type, const std::string& bytes) {
    IdxScenario s(idx_file(type, {2, 2, 3}, bytes));
    OpenedData d = s.open();
    EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), small) << type;
  };
  check(0x09, bytes_of(std::vector<int8_t>(small.begin(), small.end())));
  check(0x0B, bytes_of(std::vector<int16_t>(small.begin(), small.end()), true));
  check(0x0C, bytes_of(std::vector<int32_t>(small.begin(), small.end()), true));
  check(0x0D, bytes_of(small, true));
  check(0x0E, bytes_of(std::vector<double>(small.begin(), small.end()), true));
}

TEST(Idx, H1LabelsGivenAsImages) {
  IdxScenario s(idx_file(0x08, {2}, "\x01\x02"));
  expect_message(s.error(), Code::data,
                 {"/images: error: ", "magic 0x801, expected 0x803", "labels given where images expected?"});
}

TEST(Idx, H1ImagesGivenAsLabels) {
  IdxScenario s(idx_file(0x08, {2, 2, 3}, payload), idx_file(0x08, {2, 2, 3}, payload));
  expect_message(s.error(), Code::data,
                 {"/labels: error: ", "magic 0x803, expected 0x801", "images given where labels expected?"});
}

TEST(Idx, H1WrongMagic) {
  IdxScenario s("\x89PNG\r\n\x1a\n0000000000");
  expect_message(s.error(), Code::data, {"/images: error: ", "magic 0x89504e47", "not an idx file"});
}

TEST(Idx, H3PayloadShortAndLong) {
  IdxScenario low(idx_file(0x08, {2, 2, 3}, payload.substr(1)));
  expect_message(low.error(), Code::data, {"12 bytes", "holds 11"});
  IdxScenario high(idx_file(0x08, {2, 2, 3}, payload + "x"));
  expect_message(high.error(), Code::data, {"12 bytes", "holds 13"});
  IdxScenario packed_low(gzipped(idx_file(0x08, {2, 2, 3}, payload.substr(1))));
  expect_message(packed_low.error(), Code::data, {"12 bytes", "holds 11"});
  IdxScenario packed_high(gzipped(idx_file(0x08, {2, 2, 3}, payload + "x")));
  expect_message(packed_high.error(), Code::data, {"12 bytes", "holds 13"});
}

TEST(Idx, H3CutHeaderAndEmptyFile) {
  IdxScenario cut(idx_file(0x08, {2, 2, 3}, "").substr(0, 9));
  expect_message(cut.error(), Code::data, {"ends at byte 9", "idx header"});
  IdxScenario empty("");
  expect_message(empty.error(), Code::data, {"ends at byte 0", "idx header"});
}

TEST(Idx, H5DamagedGzip) {
  std::string packed = gzipped(idx_file(0x08, {2, 2, 3}, payload));
  IdxScenario cut(packed.substr(0, packed.size() - 6));
  expect_message(cut.error(), Code::data, {"/images: error: ", "gzip data end early"});
  packed[packed.size() - 8] ^= 1; // the checksum
  IdxScenario bad(packed);
  expect_message(bad.error(), Code::data, {"/images: error: ", "damaged gzip data"});
}

TEST(Idx, H6UnknownType) {
  IdxScenario s(idx_file(0x07, {2, 2, 3}, payload));
  expect_message(s.error(), Code::data, {"unknown type 0x07"});
}

TEST(Idx, H7NoImages) {
  IdxScenario s(idx_file(0x08, {0, 2, 3}, ""), idx_file(0x08, {0}, ""));
  expect_message(s.error(), Code::data, {"no samples"});
}

TEST(Idx, H8Ranks) {
  IdxScenario none(idx_file(0x08, {}, payload));
  expect_message(none.error(), Code::data, {"rank 0"});
  IdxScenario many(idx_file(0x08, std::vector<uint32_t>(255, 1), payload));
  expect_message(many.error(), Code::data, {"rank 255"});
}

TEST(Idx, DeclaredSizesAreNotBelieved) {
  IdxScenario overflow(idx_file(0x0E, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, payload));
  expect_message(overflow.error(), Code::data, {"[4294967295, 4294967295, 4294967295]", "overflows"});
  IdxScenario large(idx_file(0x08, {0x7FFFFFFF, 1024, 1024}, payload));
  expect_message(large.error(), Code::data, {"2251799812636672 bytes", "holds 12"});
  IdxScenario packed(gzipped(idx_file(0x08, {0x7FFFFFFF, 1024, 1024}, payload)));
  expect_message(packed.error(), Code::data, {"2251799812636672 bytes", "holds at most"});
}

// A gzip file cannot tell how much it holds; whether the model could take it is known from the header alone.
TEST(Idx, HeadersAreJudgedBeforeValues) {
  const std::string cut = gzipped(idx_file(0x08, {2, 2, 4}, payload)); // four values are missing
  IdxScenario s(cut);
  expect_message(s.error(), Code::data, {"/images: error: ", "have shape [2, 4], the model takes [2, 3]"});
}

TEST(Idx, MemoryCap) {
  IdxScenario s(idx_file(0x08, {2, 2, 3}, payload));
  s.options.files.memory_cap = 11;
  expect_message(
      s.error(), Code::resources,
      {"the values need 12 bytes of memory, expected at most 11 bytes; see --memory-limit, or leave samples out"});
}

TEST(Idx, G1LabelOutOfRange) {
  std::string labels(5000, '\x03');
  labels[4711] = 10;
  IdxScenario s(idx_file(0x08, {5000, 2, 3}, std::string(30000, 'a')), idx_file(0x08, {5000}, labels));
  expect_message(s.error(), Code::data,
                 {"/labels: error: label 10 at sample 4711 (offset 4719), model has 10 classes"});
  labels[4711] = '\xff';
  IdxScenario high(idx_file(0x08, {5000, 2, 3}, std::string(30000, 'a')), idx_file(0x08, {5000}, labels));
  expect_message(high.error(), Code::data, {"label 255 at sample 4711", "model has 10 classes"});
  IdxScenario negative(idx_file(0x08, {2, 2, 3}, payload), idx_file(0x09, {2}, std::string("\x01\xff")));
  expect_message(negative.error(), Code::data, {"label -1 at sample 1 (offset 9)", "model has 10 classes"});
}

TEST(Idx, G1IgnoredLabelPasses) {
  IdxScenario s(idx_file(0x08, {2, 2, 3}, payload), idx_file(0x09, {2}, std::string("\x01\xff")));
  s.tensors[1].ignore_index = -1;
  OpenedData d = s.open();
  EXPECT_EQ(rows_of<int32_t>(*d.train, s.tensors, 1), (std::vector<int32_t>{1, -1}));
}

TEST(Idx, G11DifferentCounts) {
  IdxScenario s(idx_file(0x08, {2, 2, 3}, payload), idx_file(0x08, {3}, "\x01\x02\x03"));
  expect_message(s.error(), Code::data, {"/labels: error: ", "3 samples for 'label'", "2 for 'image'"});
}

TEST(Idx, WrongShapeNamesBothAndTheTransform) {
  IdxScenario s(idx_file(0x08, {2, 3, 2}, payload));
  expect_message(s.error(), Code::data, {"[3, 2]", "the model takes [2, 3]", "reshape"});
  IdxScenario other(idx_file(0x08, {2, 2, 2}, payload.substr(4)));
  expect_message(other.error(), Code::data, {"[2, 2]", "the model takes [2, 3]"});
}

TEST(Idx, EveryTruncationAndEveryDamagedByte) {
  const std::string good = idx_file(0x08, {2, 2, 3}, payload);
  expect_truncations_refused<IdxScenario>(good);
  expect_damage_survived<IdxScenario>(good);
}

} // namespace
} // namespace dlcc::data
