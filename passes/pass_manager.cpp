#include "passes/pass_manager.h"

#include "passes/dump.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "ir/graph/builder.h"
#include "ir/graph/verify.h"

namespace dlcc::passes {

namespace {
size_t stage_index(std::string_view stage) {
  auto all = stages();
  auto at = std::find(all.begin(), all.end(), stage);
  DLCC_CHECK(at != all.end(), "unknown stage '" + std::string(stage) + "'");
  return static_cast<size_t>(at - all.begin());
}

Ir run_pass(const PassEntry& pass, Ir ir, PassContext& context) {
  if (pass.graph) return pass.graph(std::get<graph::Module>(std::move(ir)), context);
  if (pass.lower) return pass.lower(std::get<graph::Module>(ir), context);
  return pass.loops(std::get<loops::Program>(std::move(ir)), context);
}

std::string obstacle(std::string_view stage, const Ir& ir) {
  auto* module = std::get_if<graph::Module>(&ir);
  auto of_graph = graph::stage_from_name(stage);
  std::string what = module && of_graph ? graph::obstacle_to(*of_graph, *module) : "";
  return what.empty() ? "" : " (" + what + ")";
}

// A pass that cannot run here was asked for by name, or the text says that it is at a stage that it is not at.
void require_runnable(const PassEntry& pass, const Ir& ir) {
  auto refuse = [&](const std::string& why) {
    throw UserError(ExitCode::usage, "pass-order", "the pass '" + std::string(pass.name) + "' " + why);
  };
  const size_t stage = stage_index(stage_of(ir)), from = stage_index(pass.from), until = stage_index(pass.until);
  if (stage < from || stage > until) {
    std::string runs = from == until ? "at stage " : "from stage " + std::string(pass.from) + " to ";
    refuse("runs " + runs + std::string(pass.until) + ", not at stage " + std::string(stage_of(ir)) +
           (stage + 1 == from ? obstacle(pass.from, ir) : ""));
  }
  if (std::string what = pass.missing ? pass.missing(ir) : ""; !what.empty()) refuse("cannot run yet: " + what);
}

class Manager {
public:
  Manager(PassContext& context, const PassOptions& options) : context_(context), o_(options) {}

  Ir run(Ir ir) {
    size_t optional = 0;
    for (const PassEntry* pass : selected(ir)) {
      if (context_.diagnostics && context_.diagnostics->has_errors()) return ir;
      if (!pass->required && o_.only.empty()) {
        bool beyond = o_.bisect_limit >= 0 && static_cast<int64_t>(optional) >= o_.bisect_limit;
        ++optional;
        if (beyond || o_.disabled.contains(std::string(pass->name))) continue;
      }
      ir = step(*pass, std::move(ir));
    }
    if (!o_.verify_each && !(context_.diagnostics && context_.diagnostics->has_errors())) check(ir, "the pipeline");
    return ir;
  }

private:
  std::vector<const PassEntry*> selected(const Ir& ir) const {
    std::vector<const PassEntry*> passes;
    if (!o_.only.empty()) {
      for (const std::string& name : o_.only) {
        passes.push_back(find_pass(name));
        DLCC_CHECK(passes.back(), "unknown pass '" + name + "'");
      }
      return passes;
    }
    size_t from = stage_index(stage_of(ir)),
           to = o_.stop_after.empty() ? stages().size() - 1 : stage_index(o_.stop_after);
    if (from > to)
      throw UserError(ExitCode::usage, "pass-order",
                      "it is at stage " + std::string(stage_of(ir)) + ", which comes after " + o_.stop_after);
    for (const PassEntry& pass : pipeline())
      if (size_t s = stage_index(pass.stage); s > from && s <= to) passes.push_back(&pass);
    return passes;
  }

  Ir step(const PassEntry& pass, Ir ir) {
    std::string name(pass.name);
    require_runnable(pass, ir);
    // The text is made only where somebody wants it: for printing, or after a failure.
    if (o_.print_before.contains(name)) show("before", name, print(ir));
    std::string before = o_.print_after_change ? print(ir) : std::string();
    Ir input = o_.verify_each ? ir : Ir();
    const Counts counts = counts_of(ir);
    auto begin = std::chrono::steady_clock::now();
    double seconds = 0;
    try {
      ir = run_pass(pass, std::move(ir), context_);
      if (pass.arrives) arrive_at(pass.stage, ir);
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      bool failed = context_.diagnostics && context_.diagnostics->has_errors();
      if (o_.verify_each && !failed) check(ir, name);
    } catch (const CannotBeDone& e) {
      refuse_or_fail(name, e.what(), input);
    } catch (const graph::InferError& e) {
      refuse_or_fail(name, e.what(), input);
    } catch (const InternalError& e) {
      fail(name, e.what(), input);
    }
    const std::string did = difference(counts, counts_of(ir)), line = "# " + name + ": " + did + "\n";
    if (o_.times) o_.times->push_back({pass.name, seconds, did});
    if (o_.print_after_all || o_.print_after.contains(name))
      show("after", name, print(ir), line);
    else if (o_.print_after_change)
      if (std::string after = print(ir); after != before) show("after", name, after, line);
    return ir;
  }

  [[noreturn]] void refuse_or_fail(const std::string& pass, const std::string& what, const Ir& input) const {
    if (!o_.text_of_user) fail(pass, what, input);
    throw UserError(ExitCode::model, "ill-formed", "the pass '" + pass + "' cannot go on: " + what);
  }

  [[noreturn]] void fail(const std::string& pass, const std::string& what, const Ir& input) const {
    throw InternalError("pass '" + pass + "': " + what + (o_.verify_each ? save(pass, input) : std::string()));
  }

  void show(const char* when, const std::string& pass, const std::string& text, const std::string& did = {}) const {
    if (!o_.print) return;
    o_.print("# ---- " + std::string(when) + " " + pass + " ----\n" + filtered(text, o_.filter) + did);
  }

  std::string save(const std::string& pass, const Ir& input) const {
    std::string file = o_.reproducer.empty() ? "dlcc-crash-" + pass + ".ir" : o_.reproducer;
    std::ofstream out(file);
    out << print(input);
    if (!out.flush()) return "";
    return "\nits input is in " + file + "; repeat with: dlcc opt " + file + " --passes=" + pass;
  }

  PassContext& context_;
  const PassOptions& o_;
};
} // namespace

Ir run_passes(Ir ir, PassContext& context, const PassOptions& options) {
  return Manager(context, options).run(std::move(ir));
}

} // namespace dlcc::passes
