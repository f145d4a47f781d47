#include "ir/graph/call.h"

#include "ir/graph/rewrite.h"

namespace dlcc::graph {

const Function* callee_of(const Module& module, const Attributes& attributes) {
  auto id = module.find_function(attributes.string("function"));
  return id ? &module.functions[*id] : nullptr;
}

namespace {
constexpr AttributeDef call_attributes[] = {{"function", AttributeKind::string, "name of the callee", true}};

std::vector<Type> infer_call(InferContext& context) {
  const Function* callee = context.module() ? callee_of(*context.module(), context.attributes()) : nullptr;
  std::string name = "'" + escape(context.attributes().string("function"), 40) + "'";
  if (!callee) return context.fail(1, "no function " + name + " before this one");
  if (callee->parameters.size() != context.count())
    return context.fail(2, name + " takes " + std::to_string(callee->parameters.size()) + " operands, found " +
                               std::to_string(context.count()));
  for (size_t k = 0; k < context.count(); ++k) {
    const Value& parameter = callee->values[callee->parameters[k]];
    if (!(parameter.type == context.operand(k)))
      return context.fail(3, "'" + escape(parameter.name, 40) + "' of " + name + " is " + to_string(parameter.type) +
                                 ", found " + to_string(context.operand(k)));
  }
  std::vector<Type> results;
  for (ValueId v : callee->results) results.push_back(callee->type(v));
  return results;
}

std::vector<ValueId> call_body(Builder& b, std::span<const ValueId> operands, const Attributes& attributes) {
  const Function* callee = callee_of(b.module(), attributes);
  DLCC_CHECK(callee, "call of an unknown function");
  return inline_function(b, *callee, operands);
}

// A call means nothing without its module, so there is no sample that stands alone.
std::vector<Sample> no_samples() { return {}; }
} // namespace

constinit const OpDef call_op{
    .name = "call",
    .kind = OpKind::composite,
    .doc = "The results of a function of the module for these operands. (C1) The function comes before the caller. "
           "(C2) One operand for each of its parameters. (C3) Operands have the types of the parameters.",
    .attributes = call_attributes,
    .min_operands = 0,
    .max_operands = -1,
    .infer = infer_call,
    .body = call_body,
    .samples = no_samples,
};

} // namespace dlcc::graph
