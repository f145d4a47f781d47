#include "ir/loops/verify_parts.h"

#include <algorithm>
#include <set>

namespace dlcc::loops {

namespace {

// One use of a storage by one call.
struct Use {
  const Call* call;
  TensorId parameter;
  BufferId storage;
  Access access;
};

class DataFlow {
public:
  DataFlow(const Program& p, const Entry& e, const IdVector<KernelId, KernelAccesses>& facts,
           const TextPlaces::EntryPlaces* places, Violations& out)
      : p_(p), entry_(e), facts_(facts), places_(places), out_(out) {}

  void run() {
    out_.at("entry " + entry_.name, places_ ? places_->head : Location{});
    const auto units = units_of(entry_);
    size_t calls = 0;
    for (const auto& unit : units)
      for (const Call* call : unit)
        for (size_t i = 0; i < call->arguments.size(); ++i)
          if (kernel(*call).tensors[TensorId(i)].access != Access::in) written_.insert(call->arguments[i]);
    for (const auto& unit : units) {
      std::vector<Use> earlier;
      for (const Call* call : unit) {
        if (places_) out_.at(places_->calls[calls++]);
        std::vector<Use> uses = uses_of(*call);
        aliases(uses);
        first_uses(uses);
        for (const Use& u : uses)
          for (const Use& before : earlier) race(before, u);
        earlier.insert(earlier.end(), uses.begin(), uses.end());
      }
    }
    if (places_) out_.at(places_->head);
    for (BufferId output : entry_.outputs)
      out_.require(last_writer_.contains(p_.storage(output)), "written-first",
                   "nothing is written to the output '" + p_.buffers[output].name + "'");
  }

private:
  std::vector<Use> uses_of(const Call& call) const {
    std::vector<Use> uses;
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      BufferId s = p_.storage(call.arguments[i]);
      if (p_.buffers[s].region == Region::fault) continue; // a flag that any thread may raise
      uses.push_back({&call, TensorId(i), s, kernel(call).tensors[TensorId(i)].access});
    }
    return uses;
  }
  const Kernel& kernel(const Call& c) const { return p_.kernels[c.kernel]; }

  // A call that sees one storage through two parameters may write it only where each element is read in the same
  // iteration before it is overwritten.
  void aliases(const std::vector<Use>& uses) {
    for (size_t i = 0; i < uses.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        const Use &a = uses[j], &b = uses[i];
        if (a.storage != b.storage || (a.access == Access::in && b.access == Access::in)) continue;
        bool safe = (a.access == Access::in && in_place(a, b)) || (b.access == Access::in && in_place(b, a));
        out_.require(safe, "alias",
                     "kernel " + kernel(*a.call).name + " writes '" + p_.buffers[a.storage].name +
                         "' through one parameter while it uses it through another");
      }
  }

  bool in_place(const Use& in, const Use& out) const {
    const Kernel& k = kernel(*in.call);
    std::vector<const AccessSite*> reads = facts_[in.call->kernel].of(in.parameter);
    std::vector<const AccessSite*> writes = facts_[out.call->kernel].of(out.parameter);
    if (writes.empty()) return true;
    const AccessSite& w = *writes[0];
    auto flat = flat_index(w, k.tensors[out.parameter].type.shape);
    if (!flat || writes.size() != 1) return false;
    const AccessSite* only[] = {&w};
    if (!separated(only, w.scope)) return false; // an element is written more than once
    return std::all_of(reads.begin(), reads.end(), [&](const AccessSite* r) {
      return r->scope == w.scope && r->order <= w.order && !r->factor &&
             flat_index(*r, k.tensors[in.parameter].type.shape) == flat;
    });
  }

  void first_uses(const std::vector<Use>& uses) {
    for (const Use& u : uses) {
      if (p_.buffers[u.storage].region != Region::arena) continue;
      bool reads = u.access == Access::in || facts_[u.call->kernel].reads_first(u.parameter);
      if (u.access == Access::out) reads = false;
      if (!reads) continue;
      const BufferId read = argument(u);
      auto writer = last_writer_.find(u.storage);
      out_.require(writer != last_writer_.end(), "written-first",
                   "kernel " + kernel(*u.call).name + " reads '" + p_.buffers[u.storage].name +
                       "' before anything is written to it");
      if (writer == last_writer_.end()) continue;
      out_.require(value_of(writer->second) == value_of(read), "overwritten",
                   "kernel " + kernel(*u.call).name + " reads '" + p_.buffers[read].name + "', over which '" +
                       p_.buffers[writer->second].name + "' is written");
    }
    for (const Use& u : uses)
      if (u.access != Access::in) last_writer_[u.storage] = argument(u);
  }

  // A view that nothing is written to shows the value under it; one that is written to is a value of its own.
  BufferId value_of(BufferId b) const {
    while (!written_.contains(b) && p_.buffers[b].view_of.valid()) b = p_.buffers[b].view_of;
    return b;
  }
  static BufferId argument(const Use& u) { return u.call->arguments[u.parameter.index]; }

  // Two calls of one phase with a dependence: thread for thread they must have the same elements.
  void race(const Use& a, const Use& b) {
    if (a.storage != b.storage || (a.access == Access::in && b.access == Access::in)) return;
    const Kernel &ka = kernel(*a.call), &kb = kernel(*b.call);
    if (ka.tasks == 1 && kb.tasks == 1) return; // the same thread
    out_.require(task_by_task(a, b), "phase-race",
                 "kernels " + ka.name + " and " + kb.name + " run in one phase, but their tasks share '" +
                     p_.buffers[a.storage].name + "'");
  }

  bool task_by_task(const Use& a, const Use& b) const {
    const Kernel &ka = kernel(*a.call), &kb = kernel(*b.call);
    const KernelAccesses &fa = facts_[a.call->kernel], &fb = facts_[b.call->kernel];
    if (ka.tasks != kb.tasks || fa.task_vars.size() != 1 || fb.task_vars.size() != 1) return false;
    const Bound &va = fa.task_vars[0], &vb = fb.task_vars[0];
    if (va.extent != vb.extent || fa.mark != fb.mark || fa.lanes != fb.lanes) return false;
    if (ka.tensors[a.parameter].type != kb.tensors[b.parameter].type) return false;
    // Rename b's variables out of a's way, its task variable to a's.
    uint32_t shift = static_cast<uint32_t>(ka.vars.size());
    auto renamed = [&](VarId v) { return v == vb.var ? va.var : VarId(v.index + shift); };
    std::vector<AccessSite> sites;
    std::vector<std::vector<Index>> indices;
    for (const AccessSite* s : fa.of(a.parameter)) sites.push_back(*s), indices.push_back(*s->at);
    for (const AccessSite* s : fb.of(b.parameter)) {
      sites.push_back(*s);
      std::vector<Index> at = *s->at;
      for (Index& i : at) {
        Affine affine(i.affine.constant);
        for (auto& [v, c] : i.affine.terms) affine = affine + Affine(renamed(v)) * c;
        i.affine = affine;
      }
      indices.push_back(std::move(at));
      for (Bound& bound : sites.back().scope) bound.var = renamed(bound.var);
    }
    std::vector<const AccessSite*> pointers;
    for (size_t i = 0; i < sites.size(); ++i) {
      sites[i].at = &indices[i];
      pointers.push_back(&sites[i]);
    }
    return separated(pointers, fa.task_vars);
  }

  const Program& p_;
  const Entry& entry_;
  const IdVector<KernelId, KernelAccesses>& facts_;
  const TextPlaces::EntryPlaces* places_;
  Violations& out_;
  std::set<BufferId> written_;               ///< by any call
  std::map<BufferId, BufferId> last_writer_; ///< of each storage: the buffer that was written there last
};

} // namespace

void verify_data_flow(const Program& program, const Entry& entry, const IdVector<KernelId, KernelAccesses>& facts,
                      const TextPlaces::EntryPlaces* places, Violations& out) {
  DataFlow(program, entry, facts, places, out).run();
}

} // namespace dlcc::loops
