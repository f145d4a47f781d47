// The header scanner on good, odd and hostile input.
#include <gtest/gtest.h>
#include <string>

#include "runtime/core/error.h"
#include "runtime/core/safetensors.h"

using namespace dlcc::runtime;

static std::string refusal(std::string_view json) {
  try {
    parse_safetensors_header(json);
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.status(), DLCC_E_CORRUPT);
    return e.message();
  }
}

#define EXPECT_REFUSED(json, text)                                                                                     \
  EXPECT_NE(refusal(json).find(text), std::string::npos) << "json: " << (json) << "\nmessage: " << refusal(json)

TEST(Safetensors, ReadsWhatTheSpecificationShows) {
  auto h = parse_safetensors_header(R"( { "__metadata__" : {"format":"pt", "a\u20acb":"\ud83d\ude00\n\"\\\/"},
    "b":{"data_offsets":[8,16],"dtype":"F64","shape":[]},
    "a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}, "z":{"dtype":"I8","shape":[0,5],"data_offsets":[16,16]} }  )");
  ASSERT_EQ(h.tensors.size(), 3u);
  EXPECT_EQ(h.tensors[0].name, "a");
  EXPECT_EQ(h.tensors[0].dtype, DLCC_BF16);
  EXPECT_EQ(h.tensors[0].dims, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(h.tensors[1].bytes(), 8u);
  EXPECT_EQ(h.tensors[2].bytes(), 0u);
  EXPECT_EQ(h.metadata["format"], "pt");
  EXPECT_EQ(h.metadata["a\xe2\x82\xac"
                       "b"],
            "\xf0\x9f\x98\x80\n\"\\/");
  EXPECT_TRUE(parse_safetensors_header("{}").tensors.empty());
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  EXPECT_REFUSED("", "header byte 8: expected '{'");
  EXPECT_REFUSED("[", "expected '{'");
  EXPECT_REFUSED("{", "expected a string");
  EXPECT_REFUSED("{} x", "header byte 11: text after the header");
  EXPECT_REFUSED(R"({"a":1})", "expected '{'");
  EXPECT_REFUSED(R"({"a":{}})", "expected dtype, shape and data_offsets");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32"}})", "expected dtype, shape and data_offsets");
  EXPECT_REFUSED(R"({"a":{"dtype":"F32","dtype":"F32"}})", "once each");
  EXPECT_REFUSED(R"({"a":{"type":"F32"}})", "once each");
  EXPECT_REFUSED(R"({"a":{"dtype":"F31"}})", "unknown dtype");
  EXPECT_REFUSED(R"({"":{"dtype":"F32"}})", "name of a tensor");
  EXPECT_REFUSED(R"({"__metadata__":{"a":1}})", "expected a string");
  EXPECT_REFUSED(R"({"__metadata__":{"a":"1","a":"2"}})", "second definition of a metadata key");
  EXPECT_REFUSED(R"({"__metadata__":{},"__metadata__":{}})", "second definition of a name");
  EXPECT_REFUSED("{\"a\":{\"shape\":" + std::string(100000, '['), "expected a non-negative integer");
}

TEST(Safetensors, RefusesBadNumbersAndOffsets) {
  auto tensor = [](const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_EQ(refusal(tensor("[1]", "[0,4]")), "");
  EXPECT_REFUSED(tensor("[-1]", "[0,4]"), "non-negative integer");
  EXPECT_REFUSED(tensor("[1.5]", "[0,4]"), "expected ',' or ']'");
  EXPECT_REFUSED(tensor("[01]", "[0,4]"), "expected ',' or ']'");
  EXPECT_REFUSED(tensor("[9223372036854775808]", "[0,4]"), "integer out of range");
  EXPECT_REFUSED(tensor("[4611686018427387904,4611686018427387904]", "[0,4]"), "the product overflows");
  EXPECT_REFUSED(tensor("[1,1,1,1,1,1,1,1,1]", "[0,4]"), "list too long");
  EXPECT_REFUSED(tensor("[1]", "[4,0]"), "expected [begin, end]");
  EXPECT_REFUSED(tensor("[1]", "[0]"), "expected [begin, end]");
  EXPECT_REFUSED(tensor("[1]", "[0,4,8]"), "list too long");
  EXPECT_REFUSED(tensor("[1]", "[0,8]"), "differ from the size");
  EXPECT_REFUSED(tensor("[1]", "[4,8]"), "tensor 'a' starts at 4, expected 0");
  std::string two =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":)";
  EXPECT_REFUSED(two + "[3,7]}}", "tensor 'b' starts at 3, expected 4");
  EXPECT_REFUSED(two + "[5,9]}}", "tensor 'b' starts at 5, expected 4");
}

TEST(Safetensors, RefusesBadStrings) {
  for (const char* s : {R"("\q")", R"("\u12g4")", R"("\ud800")", R"("\udc00\ud800")", R"("\ud800\u0041")", "\"a\nb\"",
                        "\"\xff\"", "\"\xed\xa0\x80\"", "\"open", "\"\\"})
    EXPECT_NE(refusal(std::string("{\"__metadata__\":{\"k\":") + s + "}}"), "") << s;
}

TEST(Safetensors, WritesWhatItReads) {
  std::vector<StoredTensor> tensors(2);
  tensors[0].name = "w \"1\"", tensors[0].dtype = DLCC_F16, tensors[0].dims = {3, 1};
  tensors[1].name = "s", tensors[1].dtype = DLCC_BOOL;
  std::string text = format_safetensors_header({{"k\t", "v\\"}}, tensors);
  EXPECT_EQ(text.size() % 64, 0u);
  auto h = parse_safetensors_header(std::string_view(text).substr(8));
  EXPECT_EQ(h.metadata.at("k\t"), "v\\");
  ASSERT_EQ(h.tensors.size(), 2u);
  EXPECT_EQ(h.tensors[0].name, "w \"1\"");
  EXPECT_EQ(h.tensors[0].end, 6u);
  EXPECT_EQ(h.tensors[1].begin, 6u);
  EXPECT_EQ(h.tensors[1].end, 7u);
}
