// The tables of dlcc_module_v1 as constants, and dlcc_module_query.
#include "codegen/module/module_plan.h"

#include "ir/base/diagnostics.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <cmath>
#include <cstring>

namespace dlcc::codegen {

using namespace loops;

namespace {

/// Writes constants; struct fields are listed in the order of runtime/abi.h, without padding of their own.
class TableWriter {
public:
  TableWriter(llvm::Module& module) : m_(module), b_(module.getContext()) {}

  llvm::Constant* u32(uint64_t v) { return llvm::ConstantInt::get(b_.getInt32Ty(), v); }
  llvm::Constant* i32(int64_t v) { return llvm::ConstantInt::getSigned(b_.getInt32Ty(), v); }
  llvm::Constant* i64(int64_t v) { return llvm::ConstantInt::getSigned(b_.getInt64Ty(), v); }
  llvm::Constant* null() { return llvm::ConstantPointerNull::get(b_.getPtrTy()); }

  llvm::Constant* text(const std::string& s) { return global(llvm::ConstantDataArray::getString(m_.getContext(), s)); }
  template <class T> llvm::Constant* numbers(const std::vector<T>& values) {
    return values.empty() ? null() : global(llvm::ConstantDataArray::get(m_.getContext(), values));
  }
  llvm::Constant* bytes(const std::array<uint8_t, 32>& values) {
    return llvm::ConstantDataArray::get(m_.getContext(), values);
  }
  llvm::Constant* pointers(const std::vector<llvm::Constant*>& values) { return array(b_.getPtrTy(), values); }
  llvm::Constant* array(llvm::Type* type, const std::vector<llvm::Constant*>& values) {
    return values.empty() ? null()
                          : global(llvm::ConstantArray::get(llvm::ArrayType::get(type, values.size()), values));
  }
  llvm::Constant* record(const std::vector<llvm::Constant*>& fields, uint64_t size) {
    llvm::Constant* c = llvm::ConstantStruct::getAnon(fields);
    DLCC_CHECK(m_.getDataLayout().getTypeAllocSize(c->getType()) == size,
               "a table's layout differs from runtime/abi.h");
    return c;
  }
  llvm::GlobalVariable* global(llvm::Constant* value) {
    auto* g = new llvm::GlobalVariable(m_, value->getType(), true, llvm::GlobalValue::PrivateLinkage, value);
    return g;
  }
  llvm::Module& module() { return m_; }

private:
  llvm::Module& m_;
  llvm::IRBuilder<> b_;
};

template <class T> void put(std::string& bytes, size_t at, double x) {
  T value = static_cast<T>(x);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// The constant region as one block of bytes.
std::string constant_bytes(const ModulePlan& plan) {
  std::string bytes(static_cast<size_t>(plan.region_bytes[DLCC_REG_CONST]), '\0');
  for (const Buffer& b : plan.program.buffers) {
    if (b.region != Region::constant || b.view_of.valid()) continue;
    DLCC_CHECK(b.data.size() == static_cast<size_t>(element_count(b.type.shape)),
               "constant '" + b.name + "' has a wrong size");
    for (size_t i = 0; i < b.data.size(); ++i) {
      size_t at = static_cast<size_t>(b.offset) + i * byte_size(b.type.dtype);
      switch (b.type.dtype) {
      case DType::f32:
        put<float>(bytes, at, b.data[i]);
        break;
      case DType::f64:
        put<double>(bytes, at, b.data[i]);
        break;
      case DType::i8:
        put<int8_t>(bytes, at, b.data[i]);
        break;
      case DType::u8:
        put<uint8_t>(bytes, at, b.data[i]);
        break;
      case DType::i32:
        put<int32_t>(bytes, at, b.data[i]);
        break;
      case DType::i64:
        put<int64_t>(bytes, at, b.data[i]);
        break;
      case DType::boolean:
        bytes[at] = b.data[i] != 0;
        break;
      }
    }
  }
  return bytes;
}

llvm::Constant* tensor_table(TableWriter& w, const ModulePlan& plan) {
  std::vector<llvm::Constant*> rows;
  llvm::Type* type = nullptr;
  for (const TensorRow& row : plan.tensors) {
    const Buffer& b = plan.program.buffers[row.buffer];
    auto rank = static_cast<int64_t>(b.type.rank());
    int32_t batch_axis = row.region < 0 ? b.batch_axis : -1;
    rows.push_back(
        w.record({w.u32(sizeof(dlcc_tensor_desc)), w.i32(row.kind), w.i32(static_cast<int64_t>(b.type.dtype)),
                  w.i32(rank), w.text(tensor_name(b)), w.numbers(b.type.shape), w.i32(row.region), w.i32(batch_axis),
                  w.i64(row.region < 0 ? 0 : b.offset), w.i64(byte_count(b.type))},
                 sizeof(dlcc_tensor_desc)));
    type = rows.back()->getType();
  }
  return w.array(type, rows);
}

llvm::Constant* entry_table(TableWriter& w, const ModulePlan& plan, uint32_t& count) {
  std::vector<llvm::Constant*> rows;
  llvm::Type* type = nullptr;
  for (const Entry& e : plan.program.entries) {
    const int32_t kind = entry_kind(e.name);
    DLCC_CHECK(kind != 0, "entry '" + e.name + "' is unknown to the C ABI");
    llvm::Type* status = llvm::Type::getInt32Ty(w.module().getContext());
    auto* function_type = llvm::FunctionType::get(status, {w.null()->getType()}, false);
    auto* fn = llvm::cast<llvm::Function>(
        w.module().getOrInsertFunction(ModulePlan::entry_symbol(e.name), function_type).getCallee());
    if (!plan.options.one_unit) fn->setVisibility(llvm::GlobalValue::HiddenVisibility);
    auto indices = [&](const std::vector<BufferId>& buffers) {
      std::vector<uint32_t> all;
      for (BufferId b : buffers) all.push_back(static_cast<uint32_t>(plan.index_of(b)));
      return w.numbers(all);
    };
    rows.push_back(w.record({w.u32(sizeof(dlcc_entry_v1)), w.i32(kind), w.text(e.name), fn, indices(e.inputs),
                             w.i32(static_cast<int64_t>(e.inputs.size())),
                             w.i32(static_cast<int64_t>(e.outputs.size())), indices(e.outputs)},
                            sizeof(dlcc_entry_v1)));
    type = rows.back()->getType();
  }
  count = static_cast<uint32_t>(rows.size());
  return w.array(type, rows);
}

llvm::Constant* constant_block(TableWriter& w, const ModulePlan& plan) {
  auto* block = w.global(llvm::ConstantDataArray::getString(w.module().getContext(), constant_bytes(plan), false));
  if (llvm::GlobalVariable* declared = w.module().getNamedGlobal(constants_symbol)) { // an entry is in this module
    declared->replaceAllUsesWith(block);
    declared->eraseFromParent();
  }
  block->setName(constants_symbol);
  block->setAlignment(llvm::Align(64));
  if (plan.options.one_unit) return block;
  block->setLinkage(llvm::GlobalValue::ExternalLinkage);
  block->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return block;
}

llvm::Constant* module_table(TableWriter& w, const ModulePlan& plan) {
  const ArtefactInfo& info = plan.info;
  uint32_t entries = 0;
  llvm::Constant* tensor_rows = tensor_table(w, plan);
  llvm::Constant* entry_rows = entry_table(w, plan, entries);
  std::vector<llvm::Constant*> hyper_names;
  std::vector<double> hyper_defaults;
  for (const Hyper& h : plan.program.hypers) hyper_names.push_back(w.text(h.name)), hyper_defaults.push_back(h.value);
  std::vector<uint64_t> sizes(plan.region_bytes.begin(), plan.region_bytes.end());
  llvm::Constant* constants = sizes[DLCC_REG_CONST] == 0 ? w.null() : constant_block(w, plan);
  return w.record({w.u32(DLCC_MODULE_MAGIC),
                   w.u32(DLCC_MODULE_ABI),
                   w.u32(sizeof(dlcc_module_v1)),
                   w.u32(info.flags),
                   w.text(info.name),
                   w.text(info.compiler),
                   w.text(plan.target.triple),
                   w.text(plan.target.features),
                   w.text(info.model_json),
                   w.i64(static_cast<int64_t>(info.model_json.size())),
                   w.bytes(info.model_hash),
                   tensor_rows,
                   entry_rows,
                   w.u32(plan.tensors.size()),
                   w.u32(entries),
                   w.u32(region_count),
                   w.u32(64),
                   w.u32(hyper_names.size()),
                   w.numbers(sizes),
                   w.i64(round_up(plan.scratch_bytes, 64)),
                   constants,
                   w.pointers(hyper_names),
                   w.numbers(hyper_defaults)},
                  sizeof(dlcc_module_v1));
}

} // namespace

void emit_tables(llvm::Module& module, const ModulePlan& plan) {
  TableWriter w(module);
  llvm::GlobalVariable* table = w.global(module_table(w, plan));
  llvm::IRBuilder<> b(module.getContext());
  auto* type = llvm::FunctionType::get(b.getPtrTy(), {b.getInt32Ty()}, false);
  auto* query = llvm::Function::Create(type, llvm::Function::ExternalLinkage, plan.options.query_symbol, module);
  query->addFnAttr(llvm::Attribute::NoUnwind); // and no features: it runs before anyone has looked at the CPU
  b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", query));
  llvm::Value* supported = b.CreateICmpUGE(query->getArg(0), b.getInt32(DLCC_MODULE_ABI));
  b.CreateRet(b.CreateSelect(supported, table, llvm::ConstantPointerNull::get(b.getPtrTy())));
}

} // namespace dlcc::codegen
