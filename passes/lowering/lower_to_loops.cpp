#include "passes/lowering/lower_to_loops.h"

#include "ir/ops/sample_axes.h"
#include "passes/lowering/kernel_table.h"
#include "passes/lowering/lower_cluster.h"

#include <algorithm>
#include <map>
#include <memory>
#include <queue>

namespace dlcc::passes {

using namespace graph;
using loops::Buffer;
using loops::BufferId;
using loops::Region;

namespace {
Region region_of(StateRole role) {
  switch (role) {
  case StateRole::parameter:
    return Region::param;
  case StateRole::slot:
    return Region::slot;
  case StateRole::buffer:
  case StateRole::metric:
    return Region::buffer;
  case StateRole::gradient:
    return Region::grad;
  }
  return Region::buffer;
}

Region region_of(ParameterRole role) {
  switch (role) {
  case ParameterRole::input:
  case ParameterRole::label:
    return Region::input;
  case ParameterRole::call:
    return Region::call;
  case ParameterRole::hyper:
    return Region::hyper;
  }
  return Region::input;
}

// Buffers that all entries share: states, inputs, scalars of the call.
class ProgramBuilder {
public:
  explicit ProgramBuilder(const Module& module) : kernels_(program.kernels) {
    program.name = module.name, program.file = module.file, program.batch = module.batch;
    for (const Hyper& h : module.hypers) program.hypers.push_back({h.name, h.value});
    for (const State& s : module.states) {
      Buffer b{s.name, s.type, region_of(s.role)};
      if (s.role == StateRole::metric) b.role = loops::TensorRole::metric;
      b.where = s.where;
      state_buffers.push_back(add(std::move(b)));
    }
  }

  BufferId add(Buffer b) {
    std::string wanted = b.name;
    for (int i = 1; names_.contains(b.name); ++i) b.name = wanted + "." + std::to_string(i);
    names_.emplace(b.name, program.buffers.next());
    return program.buffers.push(std::move(b));
  }
  BufferId parameter(const Value& v, int32_t batch_axis) {
    Region region = region_of(v.role);
    auto key = std::pair(region, v.name);
    if (auto found = parameters_.find(key); found != parameters_.end() && program.buffers[found->second].type == v.type)
      return found->second;
    Buffer b{v.name, v.type, region};
    b.role = v.role == ParameterRole::input   ? loops::TensorRole::input
             : v.role == ParameterRole::label ? loops::TensorRole::label
                                              : loops::TensorRole::none;
    b.batch_axis = batch_axis;
    return parameters_[key] = add(std::move(b));
  }
  /// Results of the same name and type in several entries ("loss") are one tensor of the artefact.
  BufferId output(Buffer b, const std::vector<BufferId>& taken) {
    if (auto found = names_.find(b.name); found != names_.end()) {
      const Buffer& known = program.buffers[found->second];
      bool same = known.region == Region::output && known.type == b.type && known.role == b.role;
      if (same && std::find(taken.begin(), taken.end(), found->second) == taken.end()) return found->second;
    }
    return add(std::move(b));
  }
  BufferId fault() {
    if (!fault_.valid()) fault_ = add({"fault", {DType::i32, {}}, Region::fault});
    return fault_;
  }
  BufferId argument(const std::string& name, int64_t value) {
    auto [at, added] = arguments_.try_emplace({name, value});
    if (!added) return at->second;
    Buffer b{name, {DType::i64, {}}, Region::constant};
    b.data = {static_cast<double>(value)};
    return at->second = add(std::move(b));
  }
  loops::Step call(LoweredCluster lowered) {
    loops::Step step;
    step.call = {kernels_.add(std::move(lowered.kernel)), std::move(lowered.arguments)};
    return step;
  }

  loops::Program program;
  std::vector<BufferId> state_buffers;

private:
  KernelTable kernels_;
  std::map<std::string, BufferId> names_;
  std::map<std::pair<Region, std::string>, BufferId> parameters_;
  std::map<std::pair<std::string, int64_t>, BufferId> arguments_;
  BufferId fault_;
};

class EntryLowering {
public:
  EntryLowering(ProgramBuilder& builder, const Module& module, const Function& f, OpTable ops)
      : builder_(builder), f_(f), facts_(f), samples_(ops::sample_axes(module, f, ops)), buffers_(f.values.size()) {
    context_ = std::make_unique<LoweringContext>(LoweringContext{
        facts_, [this](ValueId v) { return buffer_of(v); },
        [this](const std::string& name, int64_t value) { return builder_.argument(name, value); }, builder_.fault()});
  }
  loops::Entry run();

private:
  void assign_results_and_updates();
  std::vector<std::vector<NodeId>> clusters_in_order() const;
  std::set<ValueId> stored_values() const;
  BufferId buffer_of(ValueId v);
  void add_copies(loops::Entry& entry);
  bool writes_state(const loops::Call& call) const;
  void add_exit(loops::Entry& entry) const;

  ProgramBuilder& builder_;
  const Function& f_;
  FunctionFacts facts_;
  ops::SampleAxes samples_;
  std::unique_ptr<LoweringContext> context_;
  IdVector<ValueId, BufferId> buffers_;
  std::vector<BufferId> outputs_;
  std::vector<std::pair<ValueId, BufferId>> copies_; ///< results that no kernel computes into their buffer
};

BufferId EntryLowering::buffer_of(ValueId v) {
  BufferId& b = buffers_[v];
  if (b.valid()) return b;
  const Value& value = f_.values[v];
  if (value.kind == ValueKind::parameter) return b = builder_.parameter(value, samples_.of[v].axis);
  if (value.kind == ValueKind::state) return b = builder_.state_buffers[value.state.index];
  const Node& node = f_.nodes[value.node];
  Buffer buffer{f_.name + "." + value.name, value.type, Region::arena};
  buffer.where = node.where;
  if (facts_.storage[v] == Storage::alias) {
    buffer.view_of = buffer_of(node.operands[0]);
    buffer.region = builder_.program.buffers[buffer.view_of].region;
  } else if (facts_.storage[v] == Storage::external) {
    buffer.region = Region::constant;
    buffer.data = node.attributes.numbers("values");
  }
  if (buffer.region == Region::arena) buffer.entry = f_.name;
  return b = builder_.add(std::move(buffer));
}

void EntryLowering::assign_results_and_updates() {
  for (size_t u = 0; u < f_.updates.size(); ++u)
    if (facts_.in_place[u]) buffers_[f_.updates[u].value] = builder_.state_buffers[f_.updates[u].state.index];
  for (ValueId r : f_.results) {
    const Value& value = f_.values[r];
    Buffer buffer{value.name, value.type, Region::output};
    buffer.role = value.name == "loss"          ? loops::TensorRole::loss
                  : f_.name == "metrics_result" ? loops::TensorRole::metric
                                                : loops::TensorRole::output;
    buffer.batch_axis = samples_.of[r].axis;
    BufferId output = builder_.output(std::move(buffer), outputs_);
    outputs_.push_back(output);
    if (facts_.storage[r] == Storage::computed && !buffers_[r].valid())
      buffers_[r] = output;
    else
      copies_.emplace_back(r, output);
  }
}

std::set<ValueId> EntryLowering::stored_values() const {
  std::set<ValueId> stored;
  auto cluster_of = [&](ValueId v) { return f_.nodes[f_.values[v].node].cluster; };
  for (NodeId n : facts_.order)
    for (const Read& read : facts_.access[n].reads)
      if (ValueId v = facts_.owner(read.value); facts_.storage[v] == Storage::computed)
        if (cluster_of(v) != f_.nodes[n].cluster) stored.insert(v);
  auto keep = [&](ValueId v) {
    for (ValueId source : facts_.sources(v))
      if (facts_.storage[source] == Storage::computed) stored.insert(source);
  };
  for (ValueId r : f_.results) keep(r);
  for (const Update& u : f_.updates) keep(u.value);
  return stored;
}

// Members by cluster; the clusters in an order that respects data flow and effects, earliest text first.
std::vector<std::vector<NodeId>> EntryLowering::clusters_in_order() const {
  std::vector<std::vector<NodeId>> members(f_.clusters.size());
  for (NodeId n : facts_.order) {
    if (f_.nodes[n].cluster < 0) throw CannotBeDone("a node of '" + f_.name + "' is in no cluster");
    members[static_cast<size_t>(f_.nodes[n].cluster)].push_back(n);
  }
  std::vector<std::set<size_t>> users(members.size());
  std::vector<size_t> waits(members.size(), 0);
  auto edge = [&](NodeId from, NodeId to) {
    auto a = static_cast<size_t>(f_.nodes[from].cluster), b = static_cast<size_t>(f_.nodes[to].cluster);
    if (a != b && users[a].insert(b).second) ++waits[b];
  };
  for (NodeId n : facts_.order) {
    for (const Read& read : facts_.access[n].reads)
      if (NodeId p = facts_.producer(read); p.valid()) edge(p, n);
    for (NodeId p : facts_.after[n]) edge(p, n);
  }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t c = 0; c < members.size(); ++c)
    if (waits[c] == 0 && !members[c].empty()) ready.push(c);
  std::vector<std::vector<NodeId>> ordered;
  size_t placed = 0;
  while (!ready.empty()) {
    size_t c = ready.top();
    ready.pop();
    ordered.push_back(members[c]);
    placed += members[c].size();
    for (size_t u : users[c])
      if (--waits[u] == 0) ready.push(u);
  }
  if (placed != facts_.order.size()) throw CannotBeDone("the clusters of '" + f_.name + "' need each other");
  return ordered;
}

// Results first: they may be old versions. So may what becomes the next version of another state: that goes through a
// buffer of its own, filled before any state changes.
void EntryLowering::add_copies(loops::Entry& entry) {
  auto copy = [&](ValueId v, BufferId to) {
    entry.steps.push_back(builder_.call(lower_copy(*context_, v, to, builder_.program.buffers[to].name)));
  };
  for (auto& [v, target] : copies_) copy(v, target);
  struct Pending {
    ValueId value;
    BufferId temporary, state;
  };
  std::vector<Pending> pending;
  for (size_t u = 0; u < f_.updates.size(); ++u) {
    if (facts_.in_place[u]) continue;
    const Update& update = f_.updates[u];
    Pending p{update.value, {}, builder_.state_buffers[update.state.index]};
    std::vector<ValueId> sources = facts_.sources(p.value);
    if (std::any_of(sources.begin(), sources.end(), [&](ValueId v) { return f_.values[v].kind == ValueKind::state; })) {
      Buffer temporary{f_.name + "." + f_.values[p.value].name + ".old", f_.type(p.value), Region::arena};
      temporary.entry = f_.name;
      copy(p.value, p.temporary = builder_.add(std::move(temporary)));
    }
    pending.push_back(p);
  }
  for (const Pending& p : pending)
    if (p.temporary.valid())
      entry.steps.push_back(builder_.call(lower_move(*context_, f_.values[p.value], p.temporary, p.state)));
    else
      copy(p.value, p.state);
}

bool EntryLowering::writes_state(const loops::Call& call) const {
  const loops::Kernel& kernel = builder_.program.kernels[call.kernel];
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    Region region = builder_.program.buffers[call.arguments[i]].region;
    bool state =
        region == Region::param || region == Region::slot || region == Region::buffer || region == Region::grad;
    if (state && kernel.tensors[loops::TensorId(i)].access != loops::Access::in) return true;
  }
  return false;
}

// A step is atomic: the one early exit stands after every check and before the first change of state.
void EntryLowering::add_exit(loops::Entry& entry) const {
  bool checks =
      std::any_of(facts_.order.begin(), facts_.order.end(), [&](NodeId n) { return facts_.access[n].checks; });
  if (!checks) return;
  auto first =
      std::find_if(entry.steps.begin(), entry.steps.end(), [&](const loops::Step& s) { return writes_state(s.call); });
  loops::Step exit;
  exit.kind = loops::StepKind::exit;
  entry.steps.insert(first, exit);
}

loops::Entry EntryLowering::run() {
  loops::Entry entry;
  entry.name = f_.name;
  for (ValueId p : f_.parameters)
    if (region_of(f_.values[p].role) == Region::input) entry.inputs.push_back(buffer_of(p));
  assign_results_and_updates();
  entry.outputs = outputs_;
  std::set<ValueId> stored = stored_values();
  for (const std::vector<NodeId>& members : clusters_in_order()) {
    LoweredCluster lowered = lower_cluster(*context_, members, stored);
    const Cluster& cluster = f_.clusters[static_cast<size_t>(f_.nodes[members[0]].cluster)];
    lowered.kernel.notes = cluster.notes;
    entry.steps.push_back(builder_.call(std::move(lowered)));
  }
  add_copies(entry);
  add_exit(entry);
  return entry;
}
} // namespace

loops::Program lower_to_loops(const Module& module, PassContext& context) {
  ProgramBuilder builder(module);
  for (const Function& f : module.functions)
    if (f.entry) builder.program.entries.push_back(EntryLowering(builder, module, f, context.ops).run());
  return std::move(builder.program);
}

} // namespace dlcc::passes
