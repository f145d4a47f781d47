// Rows A of the list of bad inputs, the document's limits, and setting values by path.
#include "reading.h"

#include <gtest/gtest.h>

namespace dlcc::frontend::testing {
namespace {

using Lines = std::vector<std::string>;

Lines messages(std::string_view text, const DocumentLimits& limits = {}) {
  DiagnosticList diagnostics("m.json");
  std::optional<Document> document = Document::parse(text, diagnostics, limits);
  EXPECT_EQ(document.has_value(), !diagnostics.has_errors());
  Lines out;
  for (const Diagnostic& d : diagnostics.all()) out.push_back(format_short(d));
  return out;
}

Document parse(std::string_view text) {
  DiagnosticList diagnostics;
  std::optional<Document> document = Document::parse(text, diagnostics);
  EXPECT_TRUE(document.has_value()) << text;
  return std::move(*document);
}

TEST(Document, A1_empty_file) {
  EXPECT_EQ(messages(""), Lines{"m.json:1:1: error: empty file, expected a JSON object [empty-file]"});
  EXPECT_EQ(messages(" \n\t"), Lines{"m.json:1:1: error: empty file, expected a JSON object [empty-file]"});
  EXPECT_EQ(messages("\xEF\xBB\xBF"), Lines{"m.json:1:1: error: empty file, expected a JSON object [empty-file]"});
}

TEST(Document, A3_byte_order_mark_is_skipped_and_not_counted) {
  Document document = parse("\xEF\xBB\xBF{\"a\": 1}");
  EXPECT_EQ(document[1].where, (Location{1, 7}));
}

TEST(Document, A4_utf16) {
  std::string le("\xFF\xFE{\0}\0", 6), be("\xFE\xFF\0{\0}", 6), bare("{\0}\0", 4);
  for (const std::string& text : {le, be, bare})
    EXPECT_EQ(messages(text),
              Lines{"m.json:1:1: error: not UTF-8: this looks like UTF-16, expected a UTF-8 text [encoding]"});
}

TEST(Document, invalid_utf8_in_a_string) {
  EXPECT_EQ(messages("{\"a\": \"b\xFF\"}"),
            Lines{"m.json:1:9: error: not UTF-8: byte \\xff, expected a UTF-8 text [encoding]"});
  EXPECT_EQ(messages("{\xE9: 1}"), Lines{"m.json:1:2: error: not UTF-8: byte \\xe9, expected a UTF-8 text [encoding]"});
}

TEST(Document, A8_comments) {
  EXPECT_EQ(messages("{\n  // hello\n}"),
            Lines{"m.json:2:3: error: comments are not allowed; use \"x-note\" [json-syntax]"});
  EXPECT_EQ(messages("{\"a\": 1, /* x */ \"b\": 2}"),
            Lines{"m.json:1:10: error: comments are not allowed; use \"x-note\" [json-syntax]"});
}

TEST(Document, A10_number_out_of_range) {
  EXPECT_EQ(messages("{\"a\":\n 1e999}"),
            Lines{"m.json:2:2: error: number out of range: 1e999, expected at most 1.8e308 [out-of-range]"});
}

TEST(Document, A11_number_that_rounds_to_zero) {
  EXPECT_EQ(messages("{\"a\": 1e-999}"), Lines{"m.json:1:7: warning: number 1e-999 rounds to 0 [underflow]"});
  EXPECT_EQ(messages("{\"a\": 0e-999, \"b\": 0.0}"), Lines{});
}

TEST(Document, A12_integer_out_of_range) {
  EXPECT_EQ(
      messages("{\"seed\": 18446744073709551616}"),
      Lines{"m.json:1:10: error: integer out of range: 18446744073709551616, expected at most 64 bits [out-of-range]"});
  EXPECT_EQ(
      messages("[9223372036854775808, 9223372036854775807]"),
      Lines{"m.json:1:2: error: integer out of range: 9223372036854775808, expected at most 64 bits [out-of-range]"});
}

TEST(Document, A13_duplicate_key_at_the_second) {
  EXPECT_EQ(messages("{\"nodes\": [],\n \"x\": {\"nodes\": 1},\n \"nodes\": []}"),
            Lines{"m.json:3:2: error: duplicate key 'nodes', expected each key once [duplicate-key]"});
}

TEST(Document, duplicate_among_many_keys) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"k" + std::to_string(i) + "\": 1,\n";
  EXPECT_EQ(messages(text + "\"k7\": 2}"),
            Lines{"m.json:1001:1: error: duplicate key 'k7', expected each key once [duplicate-key]"});
  EXPECT_EQ(messages(text + "\"k1000\": 2}"), Lines{});
}

TEST(Document, A16_deep_nesting) {
  EXPECT_EQ(messages(std::string(1'000'000, '[')), Lines{"m.json:1:65: error: nesting deeper than 64 [nesting]"});
  EXPECT_EQ(messages(std::string(64, '[') + std::string(64, ']')), Lines{});
}

TEST(Document, syntax_errors_at_the_first_bad_byte) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"a\": 1,}", "m.json:1:9: error: bad JSON: unexpected '}', expected string literal [json-syntax]"},
      {"{\"a\" 1}", "m.json:1:6: error: bad JSON: unexpected number literal, expected ':' [json-syntax]"},
      {"{\"a\": \"b\"\n \"c\": 1}",
       "m.json:2:2: error: bad JSON: unexpected string literal, expected '}' [json-syntax]"},
      {"{\"a\": [1", "m.json:1:9: error: bad JSON: unexpected end of input, expected ']' [json-syntax]"},
      {"{} {}", "m.json:1:4: error: bad JSON: unexpected '{', expected end of input [json-syntax]"},
      {"{\"a\": \"b\n\"}",
       "m.json:1:9: error: bad JSON: invalid string: control character U+000A (LF) must be escaped to \\u000A or \\n, "
       "read '\"b\\x0a' [json-syntax]"},
      {"{\"a\": \"b", "m.json:1:7: error: bad JSON: invalid string: missing closing quote, read '\"b' [json-syntax]"},
      {"{\"a\": NaN}", "m.json:1:7: error: bad JSON: invalid literal, read 'NaN' [json-syntax]"},
      {"{\"a\": trux}", "m.json:1:10: error: bad JSON: invalid literal, read 'trux' [json-syntax]"},
  };
  for (const auto& [text, line] : cases) EXPECT_EQ(messages(text), Lines{line}) << text;
}

TEST(Document, zero_byte_after_the_value) {
  EXPECT_EQ(
      messages(std::string_view("{}\n\0{", 5)),
      Lines{"m.json:2:1: error: bad JSON: zero byte after the value, expected the end of the file [json-syntax]"});
}

TEST(Document, limits) {
  DocumentLimits limits;
  limits.bytes = 3, limits.values = 4;
  EXPECT_EQ(messages("[1,2]", limits), Lines{"m.json: error: file of 5 bytes, expected at most 3 [too-large]"});
  limits.bytes = 100;
  EXPECT_EQ(messages("[1,2,3]", limits), Lines{});
  EXPECT_EQ(messages("[1,2,3,4]", limits), Lines{"m.json:1:8: error: more than 4 values in one document [too-large]"});
}

TEST(Document, kinds_places_and_pointers) {
  Document d = parse("{\"a\": [1, 2.0, -3e2],\n  \"b/~\": {\"c\": \"t\\u00e9\", \"d\": null, \"e\": true}}");
  ValueId list = d.find(0, "a"), first = d.first_child(list), second = d[first].next, third = d[second].next;
  EXPECT_EQ(d[first].kind, Kind::integer);
  EXPECT_EQ(d[second].kind, Kind::number);
  EXPECT_EQ(d[third].number, -300.0);
  EXPECT_EQ(d[third].where, (Location{1, 16}));
  ValueId object = d.find(0, "b/~"), c = d.find(object, "c");
  EXPECT_EQ(d.text(c), "t\xC3\xA9");
  EXPECT_EQ(d[object].key_where, (Location{2, 3}));
  EXPECT_EQ(d[c].where, (Location{2, 16}));
  EXPECT_EQ(d.pointer(c), "/b~1~0/c");
  EXPECT_EQ(d.pointer(third), "/a/2");
  EXPECT_EQ(d.pointer(0), "");
  EXPECT_EQ(d.find(object, "x"), no_value);
  EXPECT_EQ(d.child_count(object), 3u);
}

TEST(Document, set_replaces_makes_and_expands) {
  Document d =
      parse(R"({"train": {"epochs": 1}, "layers": [{"type": "Dense", "name": "h"}, "Flatten"], "optimizer": "sgd"})");
  DiagnosticList diagnostics("m.json");
  EXPECT_TRUE(d.set("train.epochs", "7", diagnostics));
  EXPECT_TRUE(d.set("train.early_stopping.patience", "3", diagnostics));
  EXPECT_TRUE(d.set("layers.h.units", "5", diagnostics));
  EXPECT_TRUE(d.set("/layers/1", "{\"type\": \"Dropout\", \"rate\": 0.5}", diagnostics));
  EXPECT_TRUE(d.set("optimizer.momentum", "0.9", diagnostics));
  EXPECT_TRUE(d.set("name", "plain text", diagnostics));
  ValueId train = d.find(0, "train"), layers = d.find(0, "layers"), optimizer = d.find(0, "optimizer");
  EXPECT_EQ(d[d.find(train, "epochs")].integer, 7);
  EXPECT_EQ(d[d.find(d.find(train, "early_stopping"), "patience")].integer, 3);
  EXPECT_EQ(d[d.find(d.first_child(layers), "units")].integer, 5);
  ValueId dropout = d[d.first_child(layers)].next;
  EXPECT_EQ(d[d.find(dropout, "rate")].number, 0.5);
  EXPECT_EQ(d.pointer(d.find(dropout, "rate")), "/layers/1/rate");
  EXPECT_EQ(d.text(d.find(optimizer, "type")), "sgd");
  EXPECT_EQ(d[d.find(optimizer, "momentum")].number, 0.9);
  EXPECT_EQ(d.text(d.find(0, "name")), "plain text");
  EXPECT_FALSE(diagnostics.has_errors());
}

TEST(Document, set_refuses_a_path_that_leads_nowhere) {
  Document d = parse(R"({"seed": 1, "layers": ["Flatten"]})");
  DiagnosticList diagnostics("m.json");
  for (const char* path : {"seed.x", "layers.1", "layers.x", "a..b", ""})
    EXPECT_FALSE(d.set(path, "1", diagnostics)) << path;
  EXPECT_EQ(format_short(diagnostics.all()[0]), "m.json: error: --set seed.x: no place 'x', expected a path such as "
                                                "train.batch_size or layers.0.units [bad-path]");
}

} // namespace
} // namespace dlcc::frontend::testing
