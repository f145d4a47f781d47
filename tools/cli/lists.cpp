// dlcc ops | passes | schema: references generated from the tables that the compiler itself uses.
#include "frontend/table/json_schema.h"
#include "ir/ops/ops.h"
#include "ir/ops/reference.h"
#include "tools/cli/options.h"
#include "tools/driver/output.h"

#include <algorithm>

namespace dlcc::tools {

namespace {
// Name and first sentence of each operator, one a line.
std::string list_ops() {
  std::string text;
  for (const graph::OpDef* op : ops::all_ops()) {
    std::string name(op->name);
    name.resize(std::max<size_t>(name.size(), 30), ' ');
    text += name + std::string(op->doc.substr(0, op->doc.find(". "))) + "\n";
  }
  return text;
}

std::string list_passes() {
  std::string text;
  for (const passes::PassEntry& e : passes::pipeline()) {
    std::string name(e.name), stage(e.stage);
    name.resize(std::max<size_t>(name.size(), 32), ' ');
    stage.resize(12, ' ');
    text += name + stage + (e.required ? "required  " : "optional  ") + std::string(e.summary) + "\n";
  }
  return text;
}

// A command that prints one of two texts.
template <auto list, auto markdown> void declare_list(CLI::App& command, int& exit_code) {
  auto full = std::make_shared<bool>(false);
  command.add_flag("--markdown", *full, "The whole reference as Markdown");
  command.footer("Example:\n  dlcc " + command.get_name() + " --markdown");
  command.callback([full, &exit_code] {
    write_output("-", *full ? markdown() : list());
    exit_code = 0;
  });
}

std::string ops_reference() { return ops::print_ops_reference(ops::all_ops()); }
} // namespace

void declare_ops(CLI::App& command, int& exit_code) { declare_list<list_ops, ops_reference>(command, exit_code); }

void declare_passes(CLI::App& command, int& exit_code) {
  declare_list<list_passes, passes::print_passes_reference>(command, exit_code);
}

void declare_schema(CLI::App& command, int& exit_code) {
  declare_list<frontend::json_schema, frontend::key_reference>(command, exit_code);
}

} // namespace dlcc::tools
