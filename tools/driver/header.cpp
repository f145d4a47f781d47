// The C header beside a statically linked step: its sizes, and the indices of its tensors, as constants.
#include "tools/driver/compile.h"

#include <cctype>

namespace dlcc::tools {

namespace {
// A C identifier in capitals: "hidden/kernel" -> "HIDDEN_KERNEL".
std::string macro(const std::string& name) {
  std::string out;
  for (char c : name)
    out += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                                                       : '_';
  return out;
}
} // namespace

std::string Compilation::header() {
  codegen::JitModule loaded = jit();
  const dlcc_module_v1& m = *loaded.module();
  const std::string own = name(), prefix = macro(own);
  std::string text = "/* Made by " + compiler_version() + " from " + escape(diagnostics.file()) +
                     ". For static linking with " + own + ".o and libdlcc_rt:\n *   dlcc_module_wrap(" + own +
                     "_query(DLCC_MODULE_ABI), &module, &error); */\n#ifndef " + prefix + "_STEP_H\n#define " + prefix +
                     "_STEP_H\n\n#include <dlcc/abi.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  auto define = [&](const std::string& what, uint64_t value) {
    text += "#define " + prefix + "_" + what + " " + std::to_string(value) + "\n";
  };
  define("BATCH", static_cast<uint64_t>(std::get<loops::Program>(ir).batch));
  static const char* const regions[] = {"PARAM", "OPT", "BUFFER", "GRAD", "WORK", "CONST", "CACHE"};
  for (uint32_t r = 0; r < m.n_regions && r < std::size(regions); ++r)
    define(std::string(regions[r]) + "_BYTES", m.region_bytes[r]);
  define("WORK_BYTES_PER_THREAD", m.work_bytes_per_thread);
  text += "\n/* Indices into tensors[] of the module. */\n";
  for (uint32_t i = 0; i < m.n_tensors; ++i) define("TENSOR_" + macro(m.tensors[i].name), i);
  text += "\nconst dlcc_module_v1* " + own + "_query(uint32_t max_abi);\n\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return text;
}

std::vector<char> Compilation::relocatable_object() {
  codegen::EmitOptions emit;
  emit.one_unit = true;
  emit.query_symbol = name() + "_query";
  auto objects = codegen::compile(code_units(emit), target, 1);
  DLCC_CHECK(objects.size() == 1, "static linking needs one object");
  return {objects[0].begin(), objects[0].end()};
}

} // namespace dlcc::tools
