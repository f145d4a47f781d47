#include "codegen/link/link.h"

#include "codegen/link/lld_targets.h"
#include "ir/base/diagnostics.h"

#include <lld/Common/Driver.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>

LLD_HAS_DRIVER(elf)

namespace dlcc::codegen {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void io_error(const std::string& what, const fs::path& path) {
  throw UserError(ExitCode::io, "cannot-write", what + ": " + std::strerror(errno), path.string());
}

// A folder of our own, removed with all that is in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    const char* base = std::getenv("TMPDIR");
    for (const std::string& folder : {std::string(base && *base ? base : "/tmp"), std::string("/tmp")}) {
      std::string name = folder + "/dlcc-XXXXXX";
      if (!mkdtemp(name.data())) continue;
      path_ = name;
      return;
    }
    io_error("cannot make a temporary folder", "/tmp");
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  std::string write(const std::string& name, const char* data, size_t size) const {
    fs::path path = path_ / name;
    std::ofstream file(path, std::ios::binary);
    file.write(data, static_cast<std::streamsize>(size));
    if (!file.flush()) io_error("cannot write", path);
    return path.string();
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

private:
  fs::path path_;
};

// lld keeps its state in globals.
std::mutex& lld_mutex() {
  static std::mutex mutex;
  return mutex;
}

void run_lld(const std::vector<std::string>& arguments) {
  std::vector<const char*> pointers;
  for (const std::string& a : arguments) pointers.push_back(a.c_str());
  std::string messages;
  llvm::raw_string_ostream out(messages);
  lld::Result result = lld::lldMain(pointers, out, out, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0 && messages.find("output file") != std::string::npos)
    throw UserError(ExitCode::io, "cannot-write", messages.substr(0, messages.find('\n')));
  DLCC_CHECK(result.retCode == 0 && result.canRunAgain, "lld refuses the objects: " + messages);
}

std::vector<std::string> command(const std::string& soname, const std::string& output) {
  return {"ld.lld", "-shared", "--threads=1", "--eh-frame-hdr", "--hash-style=gnu", "--no-rosegment", "-z", "relro",
          "-z",     "now",     "-z",          "noexecstack",    "-soname",          soname.c_str(),   "-o", output};
}

// An object with the functions that generated code calls in libgomp: linked against, never shipped.
ObjectCode libgomp_object() {
  Target target = make_target("x86-64-v3");
  std::vector<CodeUnit> units;
  units.emplace_back("libgomp", target);
  llvm::Module& module = *units[0].module;
  llvm::IRBuilder<> b(module.getContext());
  for (const char* name : {"GOMP_parallel", "GOMP_barrier", "omp_get_thread_num", "omp_get_num_threads"}) {
    auto* f = llvm::Function::Create(llvm::FunctionType::get(b.getVoidTy(), false), llvm::Function::ExternalLinkage,
                                     name, module);
    f->addFnAttr(llvm::Attribute::NoUnwind);
    b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", f));
    b.CreateRetVoid();
  }
  return std::move(compile(std::move(units), target)[0]);
}

std::vector<char> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (bytes.empty()) io_error("cannot read back", path);
  return bytes;
}

} // namespace

std::vector<char> link_shared_library(const std::vector<ObjectCode>& objects, const LinkOptions& options) {
  std::scoped_lock lock(lld_mutex());
  TemporaryFolder folder;
  const std::string image = folder.path("module.so");
  std::vector<std::string> arguments = command(options.soname.empty() ? "train_step.so" : options.soname, image);
  const std::string exports = "{ global: dlcc_module_query; local: *; };";
  arguments.insert(arguments.end(), {"--build-id=sha1", "--gc-sections", "--version-script",
                                     folder.write("exports.map", exports.data(), exports.size())});
  for (size_t i = 0; i < objects.size(); ++i)
    arguments.push_back(folder.write(std::to_string(i) + ".o", objects[i].data(), objects[i].size()));
  if (options.need_libgomp) {
    ObjectCode stub = libgomp_object();
    std::string library = folder.path("libgomp.so.1");
    std::vector<std::string> stub_command = command("libgomp.so.1", library);
    stub_command.push_back(folder.write("libgomp.o", stub.data(), stub.size()));
    run_lld(stub_command);
    arguments.insert(arguments.end(), {"--no-undefined", library});
  }
  run_lld(arguments);
  return read(image);
}

} // namespace dlcc::codegen
