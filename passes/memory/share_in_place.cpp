#include "passes/memory/share_in_place.h"

#include "ir/loops/walk.h"
#include "passes/memory/liveness.h"

#include <algorithm>
#include <optional>

namespace dlcc::passes {

using namespace loops;

namespace {
// Where a tensor is accessed: the statement list it happens in, the position there, and the indices.
struct Site {
  const StmtId* body; ///< where the list begins
  size_t position;
  std::vector<Index> at;
};

class Sites {
public:
  Sites(const Kernel& kernel, TensorId in, TensorId out) : kernel_(kernel), walk_(kernel), in_(in), out_(out) {
    statements(kernel.body);
  }
  std::vector<Site> reads, writes;
  bool unclear = false; ///< read in a reduction or a factor, or where data decide; or the result is read back

private:
  void statements(std::span<const StmtId> body) {
    for (size_t i = 0; i < body.size(); ++i) {
      const Stmt& s = kernel_.stmts[body[i]];
      walk_.from(s, [&](ExprId, const Expr& e) {
        if (e.kind != ExprKind::load) return;
        unclear = unclear || e.tensor == out_;
        if (e.tensor != in_) return;
        unclear = unclear || reduces(s) || e.padded;
        reads.push_back({body.data(), i, e.at});
      });
      if (auto* store = std::get_if<Store>(&s)) {
        for (const Index& index : store->at) unclear = unclear || index.indirect.valid();
        if (store->tensor == out_) writes.push_back({body.data(), i, store->at});
      }
      statements(body_of(s));
    }
  }
  const Kernel& kernel_;
  ExprWalk walk_;
  TensorId in_, out_;
};
} // namespace

bool may_overwrite(const Kernel& kernel, TensorId in, TensorId out) {
  const KernelTensor &a = kernel.tensors[in], &b = kernel.tensors[out];
  if (a.access != Access::in || b.access != Access::out || a.type != b.type) return false;
  Sites sites(kernel, in, out);
  if (sites.unclear || sites.writes.size() != 1) return false;
  const Site& write = sites.writes[0];
  return std::all_of(sites.reads.begin(), sites.reads.end(), [&](const Site& read) {
    return read.body == write.body && read.position <= write.position && read.at == write.at;
  });
}

namespace {
std::optional<BufferId> place_for(const Program& p, const Call& call, size_t out, const std::vector<const Call*>& unit,
                                  const std::map<BufferId, LiveRange>& ranges, int now) {
  const Kernel& kernel = p.kernels[call.kernel];
  for (size_t in = 0; in < call.arguments.size(); ++in) {
    BufferId a = call.arguments[in], s = p.storage(a);
    if (p.buffers[s].region != Region::arena || p.buffers[s].type != p.buffers[a].type) continue;
    if (ranges.at(s).last != now || ranges.at(s).first == now) continue;
    if (!may_overwrite(kernel, TensorId(in), TensorId(out))) continue;
    // Nobody else may look at it in this unit of time, nor this call through another parameter.
    auto uses = [&](const Call* c) {
      return std::count_if(c->arguments.begin(), c->arguments.end(), [&](BufferId x) { return p.storage(x) == s; });
    };
    ptrdiff_t count = 0;
    for (const Call* c : unit) count += uses(c);
    if (count == 1) return a;
  }
  return std::nullopt;
}
} // namespace

Program share_in_place(Program program, PassContext& context) {
  if (!context.share_memory) return program;
  for (const Entry& entry : program.entries) {
    std::map<BufferId, LiveRange> ranges;
    for (auto& [b, range] : live_ranges(program, entry)) ranges[b] = range;
    auto units = time_units(entry);
    for (size_t t = 0; t < units.size(); ++t)
      for (const Call* call : units[t])
        for (size_t out = 0; out < call->arguments.size(); ++out) {
          BufferId b = call->arguments[out];
          auto range = ranges.find(b);
          if (range == ranges.end() || range->second.first != static_cast<int>(t)) continue;
          auto place = place_for(program, *call, out, units[t], ranges, static_cast<int>(t));
          if (!place) continue;
          BufferId s = program.storage(*place);
          program.buffers[b].view_of = *place;
          ranges[s].last = range->second.last;
          ranges.erase(b);
        }
  }
  return program;
}

} // namespace dlcc::passes
