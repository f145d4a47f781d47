#include "ir/loops/print.h"

#include "ir/loops/print_kernel.h"
#include "ir/loops/text_form.h"

namespace dlcc::loops {

namespace {

constexpr size_t region_count = static_cast<size_t>(Region::fault) + 1;

class ProgramPrinter {
public:
  explicit ProgramPrinter(const Program& program) : p_(program) {
    std::vector<std::string> names;
    std::vector<bool> first; // arena buffers of several entries may share a name; the others own theirs
    for (const Buffer& b : p_.buffers) {
      names.push_back(b.name);
      first.push_back(b.region != Region::arena);
    }
    buffers_ = unique_names(std::move(names), first);
    names.clear();
    for (const Kernel& k : p_.kernels) names.push_back(k.name);
    kernels_ = unique_names(std::move(names));
  }

  std::string run() {
    head();
    for (size_t r = 0; r < region_count; ++r) region(static_cast<Region>(r));
    for (KernelId k : p_.kernels.ids()) {
      out_.blank();
      print_kernel(p_.kernels[k], kernels_[k.index], out_);
    }
    for (const Entry& e : p_.entries) entry(e);
    return out_.take();
  }

private:
  void head() {
    std::string text = "program @" + symbol(p_.name) + " stage " + std::string(name_of(p_.stage)) + " batch " +
                       std::to_string(p_.batch);
    if (!p_.file.empty()) text += " file " + print_string(p_.file);
    out_.line(text);
    for (const Hyper& h : p_.hypers) out_.line("hyper " + symbol(h.name) + " = " + print_double(h.value));
  }

  void region(Region region) {
    bool open = false;
    for (BufferId b : p_.buffers.ids()) {
      if (p_.buffers[b].region != region) continue;
      if (!open) {
        out_.blank();
        out_.open("region " + std::string(name_of(region)));
        open = true;
      }
      buffer(b);
    }
    if (open) out_.close();
  }

  static std::string element(double value, DType dtype) {
    return is_integer(dtype) ? std::to_string(static_cast<int64_t>(value)) : print_double(value);
  }

  void buffer(BufferId id) {
    const Buffer& b = p_.buffers[id];
    std::string text = "buffer " + reference(id) + " : " + to_string(b.type);
    if (b.view_of.valid()) text += " = view " + reference(b.view_of);
    if (b.offset >= 0) text += " at " + std::to_string(b.offset);
    if (!b.entry.empty()) text += " entry " + symbol(b.entry);
    if (b.role != TensorRole::none) text += " role " + std::string(name_of(b.role));
    if (b.batch_axis >= 0) text += " batch_axis " + std::to_string(b.batch_axis);
    if (b.where.known()) text += " " + print_location(b.where);
    if (!b.data.empty()) {
      text += " data [";
      for (size_t i = 0; i < b.data.size(); ++i) text += (i ? "," : "") + element(b.data[i], b.type.dtype);
      text += "]";
    }
    out_.line(text);
  }

  void entry(const Entry& e) {
    out_.blank();
    std::string text =
        "entry @" + symbol(e.name) + "(inputs: " + list(e.inputs) + "; outputs: " + list(e.outputs) + ")";
    if (e.arena_bytes) text += " arena " + std::to_string(e.arena_bytes);
    out_.open(text);
    for (const std::string& note : e.notes) out_.line("note " + print_string(note));
    for (const Step& s : e.steps) step(s);
    out_.close();
  }

  void step(const Step& s) {
    switch (s.kind) {
    case StepKind::call:
      return out_.line("call @" + symbol(kernels_[s.call.kernel.index]) + "(" + list(s.call.arguments) + ")");
    case StepKind::exit:
      return out_.line("exit");
    case StepKind::serial:
      out_.open("serial");
      break;
    case StepKind::parallel:
      out_.open("parallel");
      break;
    case StepKind::phase:
      out_.open("phase");
      break;
    }
    for (const Step& child : s.children) step(child);
    out_.close();
  }

  std::string reference(BufferId b) const { return "%" + symbol(buffers_[b.index]); }
  std::string list(const std::vector<BufferId>& buffers) const {
    std::string text;
    for (BufferId b : buffers) text += (text.empty() ? "" : ", ") + reference(b);
    return text;
  }

  const Program& p_;
  TextWriter out_;
  std::vector<std::string> buffers_, kernels_;
};

} // namespace

std::string print(const Program& program) { return ProgramPrinter(program).run(); }

} // namespace dlcc::loops
