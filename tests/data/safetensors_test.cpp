// safetensors files as data.
#include "tests/data/files.h"

namespace dlcc::data {
namespace {

using Floats = std::vector<float>;

std::string safetensors_file(const std::string& header, const std::string& values) {
  return bytes_of(static_cast<uint64_t>(header.size())) + header + values;
}

struct SafetensorsScenario : Scenario {
  explicit SafetensorsScenario(const std::string& file) {
    source().format = Format::safetensors;
    source().file = folder.write("d.safetensors", file);
    add({"x", ElementType::f32, {3}}, "features");
    add({"y", ElementType::i64, {}, true, 3}, "labels");
    train.batch_size = 2;
  }
};

// `features` of that type, [2, 3], then `labels`, i64 [2] = 2, 0.
std::string features_of(const std::string& type, const std::string& values) {
  const std::string end = std::to_string(values.size()), all = std::to_string(values.size() + 16);
  return safetensors_file("{\"features\":{\"dtype\":\"" + type + "\",\"shape\":[2,3],\"data_offsets\":[0," + end +
                              "]},\"labels\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[" + end + "," + all +
                              "]}}",
                          values + bytes_of(std::vector<int64_t>{2, 0}));
}
const Floats six{1, 2, 3, 4, 5, 6};

TEST(Safetensors, ReadsEveryType) {
  auto check = [](const std::string& type, const auto& values) {
    SafetensorsScenario s(features_of(type, bytes_of(values)));
    OpenedData d = s.open();
    EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), six) << type;
    EXPECT_EQ(rows_of<int64_t>(*d.train, s.tensors, 1), (std::vector<int64_t>{2, 0})) << type;
  };
  check("F32", six);
  check("F64", std::vector<double>(six.begin(), six.end()));
  check("F16", std::vector<uint16_t>{0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600});  // IEEE binary16
  check("BF16", std::vector<uint16_t>{0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0}); // the upper half of binary32
  check("I8", std::vector<int8_t>(six.begin(), six.end()));
  check("U8", std::vector<uint8_t>(six.begin(), six.end()));
  check("I32", std::vector<int32_t>(six.begin(), six.end()));
  check("I64", std::vector<int64_t>(six.begin(), six.end()));
}

TEST(Safetensors, UnknownTensorListsTheOthers) {
  SafetensorsScenario s(features_of("F32", bytes_of(six)));
  s.source().tensors[0].source = "image";
  expect_message(s.error(), Code::data,
                 {"/d.safetensors: error: no tensor 'image' in the file; it has features, labels"});
}

TEST(Safetensors, TensorsThatDoNotFit) {
  SafetensorsScenario shape(features_of("F32", bytes_of(six)));
  shape.tensors[0].shape = {4};
  expect_message(shape.error(), Code::data, {"have shape [3], the model takes [4]"});
  SafetensorsScenario scalar(safetensors_file(
      R"({"features":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"labels":{"dtype":"I64","shape":[0],)"
      R"("data_offsets":[4,4]}})",
      bytes_of(1.0f)));
  expect_message(scalar.error(), Code::data, {"d.safetensors(features): error: a tensor of rank 0 has no samples"});
}

TEST(Safetensors, BadHeaders) {
  auto refused = [](const std::string& file, const std::vector<std::string>& parts) {
    SafetensorsScenario s(file);
    expect_message(s.error(), Code::data, parts);
  };
  refused("", {"/d.safetensors: error: ", "a safetensors file of 0 bytes, expected a header"});
  refused(std::string(8, '\xff'), {"the header would have 18446744073709551615 bytes", "the file has 8"});
  refused(safetensors_file("[]", ""), {"/d.safetensors: error: header byte 8: "});
  refused(features_of("I16", std::string(12, 'x')), {"/d.safetensors: error: header byte ", "dtype"});
  refused(features_of("F32", bytes_of(six)) + "x", {"41 bytes of data, expected 40"});
}

TEST(Safetensors, EveryTruncationAndEveryDamagedByte) {
  const std::string good = features_of("F32", bytes_of(six));
  expect_truncations_refused<SafetensorsScenario>(good);
  expect_damage_survived<SafetensorsScenario>(good);
}

} // namespace
} // namespace dlcc::data
