// dlcc opt DUMP --passes=a,b: runs named passes on the text of any stage.
#include "ir/base/text.h"
#include "ir/ops/ops.h"
#include "tools/cli/options.h"
#include "tools/driver/output.h"

#include <algorithm>

namespace dlcc::tools {

namespace {
struct OptCommand {
  void require_well_formed(const passes::Ir& ir) const {
    try {
      passes::check(ir, "parsing");
    } catch (const InternalError& e) { // of who wrote the text, not of ours
      std::string what = e.what();
      std::replace(what.begin(), what.end(), '\n', ' ');
      throw UserError(ExitCode::model, "ill-formed", what, input == "-" ? "<stdin>" : input);
    }
  }

  std::string input, output, stop_after, target = "native";
  std::vector<std::string> passes;

  int run() {
    std::string text = read_text_file(input);
    DiagnosticList diagnostics(input == "-" ? "<stdin>" : input);
    try {
      passes::Ir ir = passes::parse(text, ops::all_ops());
      passes::PassContext context{ops::all_ops(), codegen::make_target(target).machine, &diagnostics};
      passes::PassOptions options;
      options.only = passes;
      options.stop_after = stop_after;
      require_well_formed(ir);
      if (!passes.empty() || !stop_after.empty()) ir = passes::run_passes(std::move(ir), context, options);
      print_diagnostics(diagnostics, text, DiagnosticsFormat::automatic);
      if (diagnostics.has_errors()) return static_cast<int>(ExitCode::model);
      write_output(output, passes::print(ir), input);
    } catch (const TextError& e) {
      diagnostics.error("syntax", e.what(), e.where);
      print_diagnostics(diagnostics, text, DiagnosticsFormat::automatic);
      return static_cast<int>(ExitCode::model);
    }
    return 0;
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
  command.add_option("--passes", state->passes, "Passes to run, in this order; none: parse, verify and print")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  command.add_option("--to", state->stop_after, "Run the pipeline up to this stage instead")
      ->check(CLI::IsMember(stages));
  command.add_option("--march,--mcpu,--target", state->target, "Machine the schedule is made for")
      ->capture_default_str();
  command.footer("Examples:\n  dlcc opt dump.ir --to=planned\n"
                 "  dlcc model.json --emit=training | dlcc opt - --passes=expand_composites");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools
