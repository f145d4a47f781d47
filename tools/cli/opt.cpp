// dlcc opt DUMP --passes=a,b: runs named passes on the text of any stage.
#include "ir/ops/ops.h"
#include "tools/cli/options.h"
#include "tools/driver/output.h"

namespace dlcc::tools {

namespace {
/// Whatever the text and the order of the passes are, they are the user's: what is wrong with them has a place.
struct OptCommand {
  std::string input, output, stop_after, target = "native";
  std::vector<std::string> passes;

  std::string shown_name() const { return input == "-" ? "<stdin>" : input; }

  int run() {
    const std::string text = read_text_file(input);
    DiagnosticList diagnostics(shown_name());
    std::string result;
    try {
      result = print_after_passes(text, diagnostics);
    } catch (const TextError& e) {
      diagnostics.error("syntax", e.what(), e.where);
    }
    print_diagnostics(diagnostics, text, DiagnosticsFormat::automatic);
    if (diagnostics.has_errors()) return static_cast<int>(ExitCode::model);
    write_output(output, result, input);
    return 0;
  }

  std::string print_after_passes(const std::string& text, DiagnosticList& diagnostics) const {
    passes::ParsedText parsed = passes::parse_and_verify(text, ops::all_ops());
    Location last;
    for (const Violation& v : parsed.violations) { // one a place: the others follow from it
      if (v.where != last) diagnostics.error("ill-formed", v.text, v.where);
      last = v.where;
    }
    if (diagnostics.has_errors()) return {};
    DiagnosticList of_passes(model_file(parsed.ir)); // their places point into the model
    passes::PassContext context{ops::all_ops(), codegen::make_target(target).machine, &of_passes};
    passes::PassOptions options;
    options.only = passes;
    options.stop_after = stop_after;
    options.text_of_user = true;
    try {
      if (!passes.empty() || !stop_after.empty())
        parsed.ir = passes::run_passes(std::move(parsed.ir), context, options);
    } catch (UserError& e) { // about the text as a whole
      e.diagnostic.file = shown_name(), e.diagnostic.where = parsed.stage;
      throw;
    }
    for (Diagnostic d : of_passes.all()) {
      if (!d.where.known() || of_passes.file().empty()) d.file = shown_name(), d.where = parsed.stage;
      diagnostics.add(std::move(d));
    }
    return passes::print(parsed.ir);
  }

  static const std::string& model_file(const passes::Ir& ir) {
    return std::visit([](auto& x) -> const std::string& { return x.file; }, ir);
  }
};
} // namespace

void declare_opt(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<OptCommand>();
  command.add_option("DUMP", state->input, "text of a stage, or - for standard input")->required();
  command.add_option("-o,--output", state->output, "Where the text goes");
  std::vector<std::string> names, stages;
  for (const passes::PassEntry& e : passes::pipeline()) names.emplace_back(e.name);
  for (std::string_view s : passes::stages()) stages.emplace_back(s);
  auto* only =
      command.add_option("--passes", state->passes, "Passes to run, in this order; none: parse, verify and print")
          ->delimiter(',')
          ->check(one_of(names));
  command.add_option("--to", state->stop_after, "Run the pipeline up to this stage instead")
      ->check(one_of(stages))
      ->excludes(only);
  command.add_option("--march,--mcpu,--target", state->target, "Machine the schedule is made for")
      ->capture_default_str();
  command.footer("Examples:\n  dlcc opt dump.ir --to=planned\n"
                 "  dlcc model.json --emit=training | dlcc opt - --passes=expand_composites");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools
