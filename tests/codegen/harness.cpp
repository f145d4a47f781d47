#include "tests/codegen/harness.h"

#include "codegen/link/link.h"
#include "codegen/module/emit.h"
#include "ir/base/diagnostics.h"
#include "ir/loops/evaluate.h"
#include "ir/loops/parse.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

namespace dlcc::codegen {

using namespace loops;

namespace {
constexpr unsigned char untouched = 0xFF;
constexpr uint64_t behind_work = 1 << 16; ///< bytes that must stay untouched
} // namespace

GuardedMemory::GuardedMemory(size_t bytes, size_t alignment) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  bytes = (bytes + alignment - 1) / alignment * alignment;
  size_t used = (bytes + page - 1) / page * page;
  mapped_ = used + page;
  map_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DLCC_CHECK(map_ != MAP_FAILED, "no memory");
  auto* start = static_cast<std::byte*>(map_);
  mprotect(start + used, page, PROT_NONE);
  data_ = start + used - bytes;
  std::memset(start, untouched, used); // NaN, so that reading what nobody wrote shows
}
GuardedMemory::~GuardedMemory() {
  if (map_) munmap(map_, mapped_);
}

Program program_of(const std::string& parameters, const std::string& rest, bool parallel) {
  Program p = parse_program("program @test stage planned batch 0\nkernel @k(" + parameters + ") " + rest + "\n");
  const Kernel& k = p.kernels[KernelId(0)];
  Entry entry;
  entry.name = "predict";
  Step call;
  call.call.kernel = KernelId(0);
  int64_t offset = 0;
  for (const KernelTensor& t : k.tensors) {
    if (t.access == Access::scratch) continue;
    Buffer b;
    b.name = t.name, b.type = t.type;
    bool scalar = t.name == "n_valid" || t.name == "seed" || t.name == "batch" || t.name == "update";
    b.region = scalar                    ? Region::call
               : t.access == Access::in  ? Region::input
               : t.access == Access::out ? Region::output
                                         : Region::param;
    if (b.region == Region::param) b.offset = offset, offset += (byte_count(t.type) + 63) / 64 * 64;
    b.role = b.region == Region::input    ? TensorRole::input
             : b.region == Region::output ? TensorRole::output
                                          : TensorRole::none;
    BufferId id = p.buffers.push(b);
    if (b.region == Region::input) entry.inputs.push_back(id);
    if (b.region == Region::output) entry.outputs.push_back(id);
    call.call.arguments.push_back(id);
  }
  if (parallel) {
    Step phase, region;
    phase.kind = StepKind::phase, phase.children = {call};
    region.kind = StepKind::parallel, region.children = {phase};
    entry.steps = {region};
  } else {
    entry.steps = {call};
  }
  p.entries.push_back(entry);
  return p;
}

namespace {

template <class T> void put(const Tensor& t, void* to) {
  for (size_t i = 0; i < t.size(); ++i) {
    T x = static_cast<T>(t.data[i]);
    std::memcpy(static_cast<char*>(to) + i * sizeof(T), &x, sizeof(T));
  }
}
template <class T> void get(Tensor& t, const void* from) {
  for (size_t i = 0; i < t.size(); ++i) {
    T x;
    std::memcpy(&x, static_cast<const char*>(from) + i * sizeof(T), sizeof(T));
    t.data[i] = static_cast<double>(x);
  }
}
// f(T()) with the C++ type of the elements.
template <class F> void with_type(DType t, F f) {
  switch (t) {
  case DType::f32:
    return f(float());
  case DType::f64:
    return f(double());
  case DType::i8:
    return f(int8_t());
  case DType::i32:
    return f(int32_t());
  case DType::i64:
    return f(int64_t());
  case DType::u8:
  case DType::boolean:
    return f(uint8_t());
  }
}

void* load_library(const std::vector<char>& image) {
  char path[] = "/tmp/dlcc-test-XXXXXX";
  int file = mkstemp(path);
  DLCC_CHECK(file >= 0 && write(file, image.data(), image.size()) == static_cast<ssize_t>(image.size()),
             "cannot write");
  close(file);
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  unlink(path);
  DLCC_CHECK(library, dlerror());
  return library;
}

// What a state is called in the program, without the prefix it has for callers.
std::string buffer_name(const std::string& tensor) {
  for (const char* prefix : {"param/", "opt/", "buffer/"})
    if (tensor.starts_with(prefix)) return tensor.substr(std::string(prefix).size());
  return tensor;
}
} // namespace

CompiledProgram::CompiledProgram(const Program& program, const std::string& target_name, Form form) {
  Target target = make_target(target_name);
  ArtefactInfo info;
  info.name = "test", info.model_json = "{}", info.compiler = "dlcc test";
  auto objects = compile(emit_program(program, target, info), target);
  if (form == Form::jit) {
    jit_ = std::make_unique<JitModule>(std::move(objects));
    module_ = jit_->module();
  } else {
    library_ = load_library(link_shared_library(objects));
    module_ = reinterpret_cast<const dlcc_module_v1* (*)(uint32_t)>(dlsym(library_, "dlcc_module_query"))(1);
  }
}

CompiledProgram::~CompiledProgram() {
  if (library_) dlclose(library_);
}

int32_t CompiledProgram::run(const std::string& name, Tensors& tensors, const CallOptions& options) {
  const dlcc_entry_v1* entry = nullptr;
  for (uint32_t i = 0; i < module_->n_entries; ++i)
    if (name == module_->entries[i].name) entry = &module_->entries[i];
  DLCC_CHECK(entry, "no entry " + name);
  std::vector<GuardedMemory> memory;
  auto allocate = [&](size_t bytes, size_t alignment) {
    memory.emplace_back(bytes, alignment);
    return memory.back().data();
  };
  std::vector<void*> regions;
  uint64_t work_bytes = 0;
  for (uint32_t r = 0; r < module_->n_regions; ++r) {
    uint64_t bytes = module_->region_bytes[r];
    if (r == DLCC_REG_WORK) {
      bytes = (bytes + 63) / 64 * 64 + module_->work_bytes_per_thread * static_cast<uint64_t>(options.threads);
      work_bytes = bytes, bytes += behind_work;
    }
    regions.push_back(bytes ? allocate(bytes, 64) : nullptr);
  }
  auto move = [&](const dlcc_tensor_desc& d, void* at, bool in) {
    const std::string own = buffer_name(d.name);
    auto found = tensors.find(own);
    Type type{static_cast<DType>(d.dtype), Shape(d.dims, d.dims + d.rank)};
    if (found == tensors.end()) {
      DLCC_CHECK(!in || d.region >= 0, std::string("no value for ") + d.name);
      found = tensors.emplace(own, Tensor(type)).first;
    }
    DLCC_CHECK(found->second.type == type, std::string("wrong type for ") + d.name);
    with_type(type.dtype, [&](auto t) {
      if (in)
        put<decltype(t)>(found->second, at);
      else
        get<decltype(t)>(found->second, at);
    });
  };
  auto state = [&](bool in) {
    for (uint32_t i = 0; i < module_->n_tensors; ++i) {
      const dlcc_tensor_desc& d = module_->tensors[i];
      if (d.region >= 0) move(d, static_cast<std::byte*>(regions[static_cast<size_t>(d.region)]) + d.offset, in);
    }
  };
  state(true);
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (int i = 0; i < entry->n_inputs; ++i) {
    const dlcc_tensor_desc& d = module_->tensors[entry->inputs[i]];
    void* at = allocate(d.nbytes, 1);
    move(d, at, true);
    inputs.push_back(at);
  }
  for (int i = 0; i < entry->n_outputs; ++i) outputs.push_back(allocate(module_->tensors[entry->outputs[i]].nbytes, 1));

  dlcc_call_v1 call = {};
  call.struct_size = sizeof call, call.num_threads = options.threads;
  call.regions = regions.data(), call.inputs = inputs.data(), call.outputs = outputs.data();
  call.n_valid = options.n_valid, call.seed = options.seed, call.batch = options.batch, call.update = options.update;
  call.hyper = options.hyper.data();
  fault = {};
  call.fault = &fault;
  int32_t status = entry->fn(&call);
  const auto* behind = static_cast<const unsigned char*>(regions[DLCC_REG_WORK]) + work_bytes;
  EXPECT_TRUE(std::all_of(behind, behind + behind_work, [](unsigned char b) { return b == untouched; }))
      << "something was written behind the scratch of " << work_bytes << " bytes";
  state(false);
  for (int i = 0; i < entry->n_outputs; ++i)
    move(module_->tensors[entry->outputs[i]], outputs[static_cast<size_t>(i)], false);
  return status;
}

std::vector<uint64_t> bits_of(const Tensor& t) {
  std::vector<uint64_t> bits(t.size());
  std::memcpy(bits.data(), t.data.data(), t.size() * sizeof(double));
  return bits;
}

Tensor random_tensor(Type type, uint32_t seed, int64_t below) {
  std::mt19937 random(seed);
  Tensor t(type);
  for (double& x : t.data) {
    uint32_t word = random();
    x = is_float(type.dtype)
            ? round_to(type.dtype, word * 0x1p-31 - 1.0)
            : static_cast<double>(word % static_cast<uint32_t>(type.dtype == DType::boolean ? 2 : below));
  }
  return t;
}

} // namespace dlcc::codegen
