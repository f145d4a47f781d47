#include "tools/cli/options.h"

#include "frontend/table/vocabulary.h"
#include "tools/cli/help.h"

#include <algorithm>
#include <charconv>

namespace dlcc::tools {

namespace {
[[noreturn]] void usage(const std::string& text) { throw UserError(ExitCode::usage, "usage", text); }

std::pair<std::string, std::string> split(const std::string& text, const char* option) {
  size_t at = text.find('=');
  if (at == std::string::npos || at == 0) usage(std::string(option) + " " + text + ": expected NAME=VALUE");
  return {text.substr(0, at), text.substr(at + 1)};
}

int64_t parse_size(const std::string& text, const std::string& option) {
  int64_t size = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || size < 1)
    usage(option + ": expected a positive integer for '" + text + "'");
  return size;
}

// "512M", "2G", "1000000", "none"
int64_t parse_bytes(const std::string& text) {
  if (text.empty()) return 0;
  if (text == "none") return -1;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit(end, text.data() + text.size());
  int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (error != std::errc() || value <= 0 || shift < 0 || value > (INT64_MAX >> std::max(shift, 0)))
    usage("--memory-limit " + text + ": expected a number of bytes, with K, M or G, or 'none'");
  return value << shift;
}
} // namespace

std::string not_one_of(const std::string& text, const std::vector<std::string>& words) {
  const std::string shown = "'" + escape(text, 60) + "'", meant = did_you_mean(text, words);
  if (!meant.empty()) return shown + meant;
  return shown + ", expected one of " + frontend::enumerated(words);
}

CLI::Validator one_of(std::vector<std::string> words) {
  CLI::Validator validator;
  validator.operation([words = std::move(words)](std::string& text) {
    return std::find(words.begin(), words.end(), text) == words.end() ? not_one_of(text, words) : "";
  });
  return validator;
}

std::vector<std::string>& command_line() {
  static std::vector<std::string> words;
  return words;
}

void BuildOptions::declare(CLI::App& c, bool model_required) {
  auto* m = c.add_option("MODEL", model, "model.json, or - for standard input");
  if (model_required) m->required();
  auto* b = build_group;
  c.add_option("-D", symbols_, "Bind a dimension: -D T=28")->type_name("SYM=VALUE")->group(b);
  c.add_option("--shape", shapes_, "Bind the dimensions of an input: --shape x=32,28")
      ->type_name("INPUT=D,D,...")
      ->group(b);
  c.add_option("--set", sets_, "Change a key of the model: --set train.epochs=3")->type_name("PATH=VALUE")->group(b);
  c.add_option("--batch-size", compile.overrides.batch_size, "Rows of a batch")->group(b);
  c.add_option("--dtype", compile.overrides.dtype, "f32 or f64")->group(b);
  c.add_option("--march,--mcpu,--target", compile.target, "native, x86-64-v3, x86-64-v4, or a CPU such as znver4")
      ->group(b)
      ->capture_default_str();
  c.add_option("--mattr", compile.attributes, "Features of the CPU to use or not: -mattr=-avx512f")->group(b);
  c.add_option("--memory-limit", memory_limit_, "Most bytes a model may take (K, M, G), or none")->group(b);
  c.add_option("--threads", threads, "Threads of the step; 0: all CPUs")->group(b)->check(CLI::Range(0, 1024));
  c.add_flag("--openmp-from-host", compile.openmp_from_host, "Leave libgomp out of the artefact")->group(b);
  auto* p = pass_group;
  c.add_option("--disable-pass", disabled_, "Leave an optional pass out")->group(p)->delimiter(',');
  c.add_option("--opt-bisect-limit", compile.passes.bisect_limit, "Run only the first N optional passes")->group(p);
  c.add_option("--print-ir-before", print_before_, "Print the IR before this pass")->group(p)->delimiter(',');
  c.add_option("--print-ir-after", print_after_, "Print the IR after this pass")->group(p)->delimiter(',');
  c.add_flag("--print-ir-after-all", compile.passes.print_after_all, "Print the IR after every pass")->group(p);
  c.add_flag("--print-ir-after-change", compile.passes.print_after_change, "Print it after passes that changed it")
      ->group(p);
  c.add_option("--print-ir-filter", compile.passes.filter,
               "Print only what has this in its name; of an entry, also its kernels")
      ->group(p);
  c.add_flag("--time-passes", time_passes, "Print how long each pass took")->group(p);
  c.add_option("--crash-reproducer", compile.passes.reproducer, "Where a failing pass's input goes")->group(p);
  c.add_flag("--verify-each,!--no-verify-each", compile.passes.verify_each, "Verify after every pass")->group(p);
  c.add_flag("--no-fusion{false}", compile.fuse, "One kernel a node")->group(p);
  c.add_flag("--no-share-memory{false}", compile.share_memory, "A place of its own for every buffer")->group(p);
  auto* s = message_group;
  c.add_option("--diagnostics-format", format_, "auto, short, rich or json")
      ->check(one_of({"auto", "short", "rich", "json"}))
      ->group(s);
  c.add_option("--error-limit", compile.error_limit, "Most errors shown")->group(s)->capture_default_str();
  c.add_flag("-q,--quiet", shared.quiet, "Errors only: no warnings, no notes, no results but JSON")->group(s);
#ifdef NDEBUG
  compile.passes.verify_each = false;
#endif
}

void BuildOptions::finish() {
  for (const std::string& s : symbols_) {
    auto [name, value] = split(s, "-D");
    compile.overrides.symbols[name] = parse_size(value, "-D " + s);
  }
  for (const std::string& s : shapes_) {
    auto [name, value] = split(s, "--shape");
    for (const std::string& dim : CLI::detail::split(value, ','))
      compile.overrides.shapes[name].push_back(parse_size(dim, "--shape " + s));
  }
  for (const std::string& s : sets_) compile.overrides.sets.push_back(split(s, "--set"));
  compile.memory_limit = parse_bytes(memory_limit_);
  auto check_pass = [](const std::string& name) {
    std::vector<std::string> names;
    for (const passes::PassEntry& e : passes::pipeline()) names.emplace_back(e.name);
    if (!passes::find_pass(name)) usage("unknown pass '" + name + "'" + did_you_mean(name, names));
    return name;
  };
  for (const std::string& name : disabled_) compile.passes.disabled.insert(check_pass(name));
  for (const std::string& name : print_before_) compile.passes.print_before.insert(check_pass(name));
  for (const std::string& name : print_after_) compile.passes.print_after.insert(check_pass(name));
  for (const std::string& name : compile.passes.disabled)
    if (passes::find_pass(name)->required) usage("the pass '" + name + "' is required and cannot be left out");
  compile.passes.print = [](const std::string& text) { fputs(text.c_str(), stderr); };
  shared.diagnostics_format = format_ == "short"  ? DiagnosticsFormat::brief
                              : format_ == "rich" ? DiagnosticsFormat::rich
                              : format_ == "json" ? DiagnosticsFormat::json
                                                  : DiagnosticsFormat::automatic;
}

CLI::Validator whole_number(uint64_t least) {
  auto check = [least](const std::string& text) -> std::string {
    uint64_t value = 0;
    const char* last = text.data() + text.size();
    auto [end, error] = std::from_chars(text.data(), last, value);
    if (error == std::errc() && end == last && value >= least) return "";
    return "'" + escape(text, 60) + "', expected a whole number >= " + std::to_string(least);
  };
  return CLI::Validator(check, ">= " + std::to_string(least));
}

bool report(const Compilation& c, const BuildOptions& options) {
  if (!options.shared.quiet || c.diagnostics.has_errors())
    print_diagnostics(c.diagnostics, c.text, options.shared.diagnostics_format);
  return c.diagnostics.has_errors();
}

bool is_compiled_step(std::string_view bytes) {
  return bytes.starts_with("\x7f"
                           "ELF");
}

std::unique_ptr<Compilation> read_model(const BuildOptions& options) {
  std::string text = read_text_file(options.model);
  if (is_compiled_step(text))
    throw UserError(ExitCode::model, "not-a-model", "is a compiled step, expected a model; 'dlcc inspect' shows it",
                    options.model);
  auto c = std::make_unique<Compilation>(options.model, std::move(text), options.compile);
  if (c->read()) return c;
  report(*c, options);
  return nullptr;
}

void print_times(const Compilation& c) {
  double total = 0;
  for (const passes::PassTime& t : c.times) total += t.seconds;
  for (const passes::PassTime& t : c.times)
    fprintf(stderr, "%10.3f ms %5.1f %%  %.*s%s%s\n", t.seconds * 1e3, 100 * t.seconds / total,
            static_cast<int>(t.pass.size()), t.pass.data(), t.did.empty() ? "" : ": ", t.did.c_str());
  fprintf(stderr, "%10.3f ms          total\n", total * 1e3);
}

} // namespace dlcc::tools
