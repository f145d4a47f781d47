// Saving a session to a checkpoint and loading one: which tensors, which counters, and when a file fits a model.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>

#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
#include "runtime/core/finite.h"
#include "runtime/core/session.h"
#include "runtime/core/sha256.h"

namespace dlcc::runtime {

namespace {

constexpr std::string_view hyper_prefix = "dlcc.hyper.";

uint32_t parts(uint32_t flags, uint32_t allowed) {
  if (flags & ~allowed) fail(DLCC_E_ARG, "flags: unknown bits in %u", flags);
  uint32_t what = flags & DLCC_SAVE_ALL;
  return what ? what : uint32_t{DLCC_SAVE_ALL};
}

std::string number(double value) {
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr); // shortest text that reads back exactly
}

template <class T> T parse_number(const CheckpointFile& file, const std::string& key) {
  const std::string* text = file.meta(key);
  T value{};
  if (text) {
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc() && end == text->data() + text->size()) return value;
  }
  fail(DLCC_E_CORRUPT, "'%s': corrupt: metadata '%s' is %s", escape(file.path()).c_str(), escape(key).c_str(),
       text ? "not a number" : "missing");
}

std::string describe(int32_t dtype, const int64_t* dims, size_t rank) {
  return std::string(dtype_name(dtype)) + " " + dims_text(dims, static_cast<int>(rank));
}

bool same_type(const dlcc_tensor_desc& t, const StoredTensor& s) {
  return s.dtype == t.dtype && s.dims == std::vector<int64_t>(t.dims, t.dims + t.rank);
}

// In a file of somebody else's parameters have no role before their names.
const StoredTensor* find(const CheckpointFile& file, const dlcc_tensor_desc& t) {
  std::string_view name = t.name;
  return file.find(file.is_plain() ? name.substr(name.find('/') + 1) : name);
}

// Empty if the file's tensor fits, else how they differ.
std::string difference(const dlcc_tensor_desc& t, const StoredTensor* s) {
  if (s && same_type(t, *s)) return "";
  std::string here = describe(t.dtype, t.dims, static_cast<size_t>(t.rank));
  return "'" + escape(t.name) + "' is " + (s ? describe(s->dtype, s->dims.data(), s->dims.size()) : "missing") +
         " there and " + here + " here";
}

bool is_values(int32_t kind) { return kind == DLCC_T_PARAM || kind == DLCC_T_BUFFER || kind == DLCC_T_ACCUMULATOR; }
bool is_state(int32_t kind) { return is_values(kind) || kind == DLCC_T_OPT; }

// Items until their text is full, then how many are left.
std::string first_of(const std::vector<std::string>& items, size_t bytes) {
  std::string text;
  size_t shown = 0;
  for (; shown < items.size() && (shown == 0 || text.size() + items[shown].size() <= bytes); ++shown)
    text += (shown ? ", " : "") + items[shown];
  return shown == items.size() ? text : text + " and " + std::to_string(items.size() - shown) + " more";
}

} // namespace

// How a file's tensors differ from those of this model, in one line.
struct Session::Differences {
  std::vector<std::string> missing, other_type, unknown;

  bool empty() const { return missing.empty() && other_type.empty() && unknown.empty(); }
  std::string text() const {
    const std::pair<const char*, const std::vector<std::string>*> groups[] = {
        {"missing: ", &missing}, {"of another type: ", &other_type}, {"not in this model: ", &unknown}};
    const auto used = std::count_if(std::begin(groups), std::end(groups), [](auto& g) { return !g.second->empty(); });
    std::string out;
    for (auto& [head, items] : groups)
      if (!items->empty())
        out += (out.empty() ? "" : "; ") + (head + first_of(*items, 180 / static_cast<size_t>(used)));
    return out;
  }
};

std::vector<int32_t> Session::saved_tensors(uint32_t flags) const {
  const bool gradients = pending_gradients_ > 0 || module_->accumulate_steps() > 1;
  std::vector<int32_t> out;
  for (uint32_t i = 0; i < module_->info().n_tensors; ++i) {
    const int32_t kind = module_->info().tensors[i].kind;
    const bool slots = kind == DLCC_T_OPT || (kind == DLCC_T_GRAD && gradients);
    if ((is_values(kind) && (flags & DLCC_SAVE_PARAMS)) || (slots && (flags & DLCC_SAVE_OPT)))
      out.push_back(static_cast<int32_t>(i));
  }
  return out;
}

// SHA-256 of role, dtype, name and shape of all state.
std::string Session::state_signature() const {
  Sha256 hash;
  for (uint32_t i = 0; i < module_->info().n_tensors; ++i) {
    const dlcc_tensor_desc& t = module_->info().tensors[i];
    if (!is_state(t.kind)) continue;
    std::string line =
        std::to_string(t.kind) + " " + describe(t.dtype, t.dims, static_cast<size_t>(t.rank)) + " " + t.name + "\n";
    hash.update(line.data(), line.size());
  }
  return hex(hash.finish());
}

// Equal for programs that compute the same bits: the same model compiled by the same compiler, whatever its data.
std::string Session::program_hash() const {
  const dlcc_module_v1& m = module_->info();
  Sha256 hash;
  hash.update(m.compiler, std::strlen(m.compiler) + 1);
  hash.update(m.model_hash, sizeof m.model_hash);
  return hex(hash.finish());
}

static std::string model_fingerprint(const dlcc_module_v1& m) {
  Digest d;
  std::memcpy(d.data(), m.model_hash, d.size());
  return hex(d);
}

// The module's own strings are shown escaped, so that the header stays UTF-8 whatever the compiler wrote.
std::map<std::string, std::string> Session::metadata(uint32_t flags) const {
  const dlcc_module_v1& m = module_->info();
  std::map<std::string, std::string> out;
  if (flags & DLCC_SAVE_RNG) out = meta_;
  out["dlcc.format"] = std::to_string(checkpoint_format);
  out["dlcc.version"] = runtime_version_text;
  out["dlcc.compiler"] = escape(m.compiler);
  out["dlcc.model"] = escape(m.name);
  out["dlcc.model_hash"] = model_fingerprint(m);
  out["dlcc.state_signature"] = state_signature();
  out["dlcc.program_hash"] = program_hash();
  out["dlcc.flags"] = std::to_string(flags);
  if (flags & DLCC_SAVE_OPT) out["dlcc.pending_gradients"] = std::to_string(pending_gradients_);
  if (flags & DLCC_SAVE_RNG) {
    out["dlcc.seed"] = std::to_string(seed_);
    out["dlcc.batches"] = std::to_string(batches());
    out["dlcc.updates"] = std::to_string(updates());
    for (uint32_t i = 0; i < m.n_hyper; ++i)
      if (!std::isnan(hyper_[i])) out[std::string(hyper_prefix) + m.hyper_names[i]] = number(hyper_[i]);
  }
  return out;
}

// A frozen parameter may be a mask of infinities, and a metric may have no finite value.
std::string Session::find_non_finite_state() const {
  for (int32_t i : saved_tensors(DLCC_SAVE_ALL)) {
    const dlcc_tensor_desc& t = module_->tensor(i);
    const std::string_view name = t.name;
    if (t.kind == DLCC_T_ACCUMULATOR) continue;
    if (t.kind == DLCC_T_PARAM && module_->find_tensor("grad" + std::string(name.substr(name.find('/')))) < 0) continue;
    const auto elements = static_cast<int64_t>(t.nbytes / dtype_bytes(t.dtype));
    if (const int64_t at = find_non_finite(state_data(i), t.dtype, elements); at >= 0)
      return "'" + escape(t.name) + "' is not finite from element " + std::to_string(at) + " on";
  }
  return "";
}

void Session::check_finite() const {
  require_ready();
  if (const std::string found = find_non_finite_state(); !found.empty()) fail(DLCC_E_NONFINITE, "%s", found.c_str());
}

void Session::save(const std::string& path, uint32_t flags) {
  flags = parts(flags, DLCC_SAVE_ALL);
  require_ready();
  std::vector<TensorToSave> tensors;
  for (int32_t i : saved_tensors(flags)) {
    const dlcc_tensor_desc& t = module_->tensor(i);
    tensors.push_back({t.name, t.dtype, {t.dims, t.dims + t.rank}, state_data(i)});
  }
  if (flags & DLCC_SAVE_PARAMS)
    for (const auto& [name, a] : attachments_) tensors.push_back({name, a.dtype, a.dims, a.bytes.data()});
  write_checkpoint(path, metadata(flags), tensors);
}

// Refuses a checkpoint of another model, unless tensors are taken `by_name`; warns of another program.
void Session::check_compatible(const CheckpointFile& file, bool by_name) {
  const std::string name = escape(file.path());
  const std::string* there = file.meta("dlcc.model_hash");
  const std::string* signature = file.meta("dlcc.state_signature");
  const std::string here = model_fingerprint(module_->info());
  const bool same_model = there && *there == here && signature && *signature == state_signature();
  if (!same_model && !by_name) {
    std::string first;
    for (uint32_t i = 0; i < module_->info().n_tensors && first.empty(); ++i)
      if (const dlcc_tensor_desc& t = module_->info().tensors[i]; is_state(t.kind))
        first = difference(t, file.find(t.name));
    for (const StoredTensor& s : file.tensors())
      if (first.empty() && module_->find_tensor(s.name) < 0 && !is_attachment(s.name))
        first = "'" + escape(s.name) + "' is not in this model";
    fail(DLCC_E_MISMATCH, "'%s': checkpoint of another model: fingerprint %.16s there, %.16s here; %s", name.c_str(),
         there ? escape(*there).c_str() : "?", here.c_str(),
         first.empty() ? "all tensors agree" : ("first difference: " + first).c_str());
  }
  const std::string* program = file.meta("dlcc.program_hash");
  if (same_model && (!program || *program != program_hash()))
    log(1, "'" + name + "' was saved by a program of another compiler; continuing is right, but not bit for bit");
}

void Session::load_counters(const CheckpointFile& file, uint32_t flags) {
  if (!(flags & DLCC_SAVE_RNG)) return;
  auto seed = parse_number<uint64_t>(file, "dlcc.seed");
  auto batches = parse_number<uint64_t>(file, "dlcc.batches"), updates = parse_number<uint64_t>(file, "dlcc.updates");
  std::vector<double> hyper(hyper_.size(), std::nan(""));
  std::map<std::string, std::string> meta;
  for (const auto& [key, value] : file.metadata()) {
    if (!is_reserved_meta_key(key)) meta[key] = value;
    if (!key.starts_with(hyper_prefix)) continue;
    int32_t i = module_->find_hyper(std::string_view(key).substr(hyper_prefix.size()));
    if (i >= 0) hyper[static_cast<size_t>(i)] = parse_number<double>(file, key);
  }
  seed_ = seed, batches_ = batches, updates_ = updates;
  hyper_ = std::move(hyper);
  meta_ = std::move(meta);
}

// Reads what `what` asks for into memory of its own, and notes what does not fit. Accumulators are not weights: they
// are taken where they fit, and begin anew where they do not.
Session::Staged Session::read_tensors(const CheckpointFile& file, uint32_t what, Differences& differences) const {
  Staged staged;
  std::set<std::string_view> known;
  for (uint32_t i = 0; i < module_->info().n_tensors; ++i) {
    const dlcc_tensor_desc& t = module_->info().tensors[i];
    const StoredTensor* s = find(file, t);
    if (s) known.insert(s->name);
    const bool slots = t.kind == DLCC_T_OPT || t.kind == DLCC_T_GRAD;
    if (!(is_values(t.kind) && (what & DLCC_SAVE_PARAMS)) && !(slots && (what & DLCC_SAVE_OPT))) continue;
    if (s && same_type(t, *s)) {
      staged.emplace_back(static_cast<int32_t>(i), std::vector<char>(t.nbytes));
      file.read(*s, staged.back().second.data());
    } else if (t.kind == DLCC_T_ACCUMULATOR || (t.kind == DLCC_T_GRAD && !s)) { // gradients: none were pending
      continue;
    } else if (s) {
      differences.other_type.push_back(difference(t, s));
    } else {
      differences.missing.push_back("'" + escape(t.name) + "'");
    }
  }
  // What a parameter is called; everything else in a checkpoint belongs to its run.
  for (const StoredTensor& s : file.tensors())
    if ((what & DLCC_SAVE_PARAMS) && !known.contains(s.name) && !is_attachment(s.name) &&
        (file.is_plain() || s.name.starts_with("param/")))
      differences.unknown.push_back("'" + escape(s.name) + "'");
  return staged;
}

void Session::load(const std::string& path, uint32_t flags) {
  const uint32_t what = parts(flags, DLCC_SAVE_ALL | DLCC_LOAD_PARTIAL | DLCC_LOAD_WEIGHTS);
  const bool partial = flags & DLCC_LOAD_PARTIAL, by_name = flags & (DLCC_LOAD_PARTIAL | DLCC_LOAD_WEIGHTS);
  using Accept = CheckpointFile::Accept;
  const CheckpointFile file(path, by_name ? Accept::plain : Accept::verified);
  const std::string name = escape(path);
  check_compatible(file, by_name);
  const auto has = file.is_plain() ? uint32_t{DLCC_SAVE_PARAMS} : parse_number<uint32_t>(file, "dlcc.flags");
  const uint32_t may_lack = partial ? DLCC_SAVE_OPT | DLCC_SAVE_RNG : by_name ? DLCC_SAVE_RNG : 0;
  if (uint32_t lacking = what & ~has & ~may_lack)
    fail(DLCC_E_NOTFOUND, "'%s' has no %s", name.c_str(),
         lacking & DLCC_SAVE_PARAMS ? "parameters"
         : lacking & DLCC_SAVE_OPT  ? "optimizer state"
                                    : "counters");
  const uint32_t take = what & has;
  const uint64_t pending = take & DLCC_SAVE_OPT ? parse_number<uint64_t>(file, "dlcc.pending_gradients") : 0;

  // Everything that can fail comes before the first change of the session.
  Differences differences;
  const Staged staged = read_tensors(file, take, differences);
  const bool any = std::any_of(staged.begin(), staged.end(), [&](const auto& tensor) {
    return module_->tensor(tensor.first).kind != DLCC_T_ACCUMULATOR;
  });
  if (!differences.empty() && (!partial || !any))
    fail(DLCC_E_MISMATCH, "'%s' does not fit this model: %s", name.c_str(), differences.text().c_str());
  if (!ready_ && !(differences.missing.empty() && differences.other_type.empty()))
    fail(DLCC_E_STATE, "'%s' does not hold the whole state of this model, which has none yet: %s", name.c_str(),
         differences.text().c_str());
  if (!ready_ && !(take & DLCC_SAVE_PARAMS))
    fail(DLCC_E_STATE, "the session has no state yet: call dlcc_init before loading '%s'", name.c_str());
  if (!differences.empty()) log(1, "'" + name + "': skipped: " + differences.text());

  // In a file of somebody else's such a name may be that of a parameter.
  const bool takes_attachments = (take & DLCC_SAVE_PARAMS) && !file.is_plain();
  Attachments attachments = takes_attachments ? read_attachments(file) : Attachments();

  load_counters(file, take);
  if (what & DLCC_SAVE_OPT) clear_gradients();
  for (const auto& [i, bytes] : staged)
    if (!bytes.empty()) std::memcpy(state_data(i), bytes.data(), bytes.size());
  if (what & DLCC_SAVE_OPT) pending_gradients_ = pending;
  if (takes_attachments) attachments_ = std::move(attachments), transforms_.clear();
  mark_cache_stale();
  ready_ = true;
}

} // namespace dlcc::runtime
