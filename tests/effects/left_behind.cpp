#include "tests/effects/left_behind.h"

#include "tests/data/bytes.h"
#include "tests/effects/outcome.h"

#include <algorithm>
#include <regex>

namespace dlcc::effects {

namespace {
using data::bytes_of;

std::string numbers(size_t count, float first, float step) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(first + step * static_cast<float>(i * i % 7));
  return bytes_of(values);
}

// d.* and e.* hold other numbers under the names x and y; of n.* one is not finite.
void write_arrays(const cli_tests::Folder& folder, const std::string& name, const std::string& x,
                  const std::string& y) {
  const std::string nx = data::npy_file("<f4", "(6, 2)", x), ny = data::npy_file("<f4", "(6, 1)", y);
  folder.write(name + "x.npy", nx);
  folder.write(name + "y.npy", ny);
  folder.write(name + ".npz", data::zip_file({{"x.npy", nx}, {"y.npy", ny}}));
  const Json header = {{"x", {{"dtype", "F32"}, {"shape", {6, 2}}, {"data_offsets", {0, 48}}}},
                       {"y", {{"dtype", "F32"}, {"shape", {6, 1}}, {"data_offsets", {48, 72}}}}};
  folder.write(name + ".safetensors", bytes_of(static_cast<uint64_t>(header.dump().size())) + header.dump() + x + y);
  auto big_endian = [](std::string bytes) {
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) std::reverse(bytes.data() + i, bytes.data() + i + 4);
    return bytes;
  };
  folder.write(name + "x.idx", data::idx_file(0x0D, {6, 2}, big_endian(x)));
  folder.write(name + "y.idx", data::idx_file(0x0D, {6, 1}, big_endian(y)));
}

// What a run says, but for how long it took.
std::string without_times(const std::string& text) {
  static const std::regex times(R"( +\([^()]* (ms|s|min)\)|[^\n]* steps in [^\n]*\n|,"seconds":[^,}]*)");
  return std::regex_replace(text, times, "");
}

// The tensors of a safetensors file that hold numbers: the digest in its trailer also covers what it says of the model.
std::string tensors_in(const std::string& bytes) {
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  std::string tensors;
  const Json header = Json::parse(bytes.substr(sizeof length, length));
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__" || name == "dlcc.trailer") continue;
    const size_t begin = tensor["data_offsets"][0], end = tensor["data_offsets"][1];
    tensors += name + " " + tensor["shape"].dump() + bytes.substr(sizeof length + length + begin, end - begin) + "\n";
  }
  return tensors;
}

std::string content(const std::string& name, const std::string& bytes) {
  if (name.ends_with(".safetensors")) return tensors_in(bytes);
  if (name.ends_with(".csv") || name.ends_with(".jsonl") || name.ends_with(".ir")) return bytes;
  if (name.ends_with(".so")) return bytes.find("libgomp") == std::string::npos ? "" : "needs libgomp";
  if (!name.ends_with("run.json")) return "";
  const Json run = Json::parse(bytes);
  return run["seed"].dump() + " " + run["threads"].dump();
}
} // namespace

void write_data(const cli_tests::Folder& folder) {
  folder.write("t.csv",
               "a,b,y,c,g\n1,2,3,red,0\n2,1,0,blue,1\n0,1,1,red,2\n1,1,2,green,0\n-1,0,1,blue,1\n0.5,0.5,1,red,2\n");
  folder.write("v.csv", "a,b,y,c,g\n1,0,-3,red,0\n0,2,4,blue,1\n-1,1,2,red,2\n");
  folder.write("gaps.csv", "a,b,y,c\n1,2,3,red\n,1,0,blue\n0,1,1,\n4,1,2,green\n-1,-,1,blue\n0.5,0.5,1,red\n");
  folder.write("gap.csv", "a,b,y\n1,2,3\n,1,0\n0,1,1\n4,1,2\n");
  folder.write("semicolons.csv", "a;b;y\n1;2;3\n2;1;0\n0;1;1\n");
  folder.write("nan.csv", "a,b,y\n1,2,3\n2,nan,0\n0,1,1\n");
  folder.write("zeros.csv", "a,b,y\n1,1,1\n2,1,1\n0,0,1\n1,2,1\n");
  folder.write("numbers.csv", "1,2,3\n2,1,0\n0,1,1\n");
  write_arrays(folder, "d", numbers(12, -1, 0.5F), numbers(6, 1, -0.25F));
  write_arrays(folder, "e", numbers(12, 0.5F, 0.25F), numbers(6, 0, 0.5F));
  write_arrays(folder, "n", numbers(11, -1, 0.5F) + bytes_of(std::vector<float>{NAN}), numbers(6, 1, -0.25F));
}

std::string seen_of(const cli_tests::Result& result, const cli_tests::Folder& folder,
                    const std::map<std::string, std::string>& before) {
  std::string text = "exit " + std::to_string(result.exit_code) + "\n" + result.out + result.err;
  for (const auto& [name, bytes] : folder.snapshot())
    if (!before.contains(name)) text += name + "\n" + content(name, bytes) + "\n";
  return without_times(text);
}

Outcome run(const Json& model) {
  const cli_tests::Folder folder;
  write_data(folder);
  folder.write("model.json", model.dump(1));
  const auto before = folder.snapshot();
  const cli_tests::Result r = folder.run({"train", "model.json"});
  const bool is_refused = r.exit_code != 0 && r.exit_code != 8;
  return is_refused ? Outcome{r.err, {}, {}} : Outcome{{}, {}, seen_of(r, folder, before)};
}

} // namespace dlcc::effects
