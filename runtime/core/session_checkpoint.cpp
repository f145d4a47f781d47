// Saving a session to a checkpoint and loading one: which tensors, which counters, and when a file fits a model.
#include <charconv>
#include <cmath>
#include <cstring>

#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
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

} // namespace

std::vector<int32_t> Session::saved_tensors(uint32_t flags) const {
  const bool gradients = pending_gradients_ > 0 || module_->accumulate_steps() > 1;
  std::vector<int32_t> out;
  for (uint32_t i = 0; i < module_->info().n_tensors; ++i) {
    const int32_t kind = module_->info().tensors[i].kind;
    const bool values = kind == DLCC_T_PARAM || kind == DLCC_T_BUFFER;
    const bool slots = kind == DLCC_T_OPT || (kind == DLCC_T_GRAD && gradients);
    if ((values && (flags & DLCC_SAVE_PARAMS)) || (slots && (flags & DLCC_SAVE_OPT)))
      out.push_back(static_cast<int32_t>(i));
  }
  return out;
}

// SHA-256 of role, dtype, name and shape of all state.
std::string Session::state_signature() const {
  Sha256 hash;
  for (uint32_t i = 0; i < module_->info().n_tensors; ++i) {
    const dlcc_tensor_desc& t = module_->info().tensors[i];
    if (t.kind != DLCC_T_PARAM && t.kind != DLCC_T_OPT && t.kind != DLCC_T_BUFFER) continue;
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

static Attachments attachments_of(const CheckpointFile& file) {
  Attachments out;
  for (const StoredTensor& s : file.tensors()) {
    if (!is_attachment(s.name)) continue;
    Attachment& a = out[s.name] = {s.dtype, s.dims, std::vector<char>(s.bytes())};
    file.read(s, a.bytes.data());
  }
  return out;
}

// Refuses a checkpoint of another model; warns of another program.
void Session::check_compatible(const CheckpointFile& file, uint32_t flags) {
  const std::string name = escape(file.path());
  const std::string* there = file.meta("dlcc.model_hash");
  const std::string* signature = file.meta("dlcc.state_signature");
  const std::string here = model_fingerprint(module_->info());
  const bool same_model = there && *there == here && signature && *signature == state_signature();
  if (!same_model && !(flags & DLCC_LOAD_PARTIAL)) {
    std::string first;
    for (uint32_t i = 0; i < module_->info().n_tensors && first.empty(); ++i) {
      const dlcc_tensor_desc& t = module_->info().tensors[i];
      if (t.kind == DLCC_T_PARAM || t.kind == DLCC_T_BUFFER || t.kind == DLCC_T_OPT)
        first = difference(t, file.find(t.name));
    }
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

void Session::load(const std::string& path, uint32_t flags) {
  const uint32_t what = parts(flags, DLCC_SAVE_ALL | DLCC_LOAD_PARTIAL);
  using Accept = CheckpointFile::Accept;
  const CheckpointFile file(path, flags & DLCC_LOAD_PARTIAL ? Accept::plain : Accept::verified);
  check_compatible(file, flags);
  const auto has = file.is_plain() ? uint32_t{DLCC_SAVE_PARAMS} : parse_number<uint32_t>(file, "dlcc.flags");
  if (uint32_t lacking = what & ~has; lacking && !(flags & DLCC_LOAD_PARTIAL))
    fail(DLCC_E_NOTFOUND, "'%s' has no %s", escape(path).c_str(),
         lacking & DLCC_SAVE_PARAMS ? "parameters"
         : lacking & DLCC_SAVE_OPT  ? "optimizer state"
                                    : "counters");
  const uint32_t take = what & has;
  const uint64_t pending = take & DLCC_SAVE_OPT ? parse_number<uint64_t>(file, "dlcc.pending_gradients") : 0;

  // Everything that can fail comes before the first change of the session.
  std::vector<std::pair<int32_t, std::vector<char>>> staged;
  std::vector<std::string> skipped;
  for (uint32_t i = 0; i < module_->info().n_tensors; ++i) {
    const dlcc_tensor_desc& t = module_->info().tensors[i];
    const bool values = t.kind == DLCC_T_PARAM || t.kind == DLCC_T_BUFFER;
    const bool slots = t.kind == DLCC_T_OPT || t.kind == DLCC_T_GRAD;
    if (!(values && (what & DLCC_SAVE_PARAMS)) && !(slots && (what & DLCC_SAVE_OPT))) continue;
    if (slots && !(has & DLCC_SAVE_OPT)) continue;
    const StoredTensor* s = find(file, t);
    if (t.kind == DLCC_T_GRAD && !s) continue; // none were pending
    std::string differs = difference(t, s);
    if (differs.empty()) {
      staged.emplace_back(static_cast<int32_t>(i), std::vector<char>(t.nbytes));
      file.read(*s, staged.back().second.data());
      continue;
    }
    if (!(flags & DLCC_LOAD_PARTIAL)) fail(DLCC_E_MISMATCH, "'%s': %s", escape(path).c_str(), differs.c_str());
    skipped.push_back(std::move(differs));
  }
  // In a file of somebody else's such a name may be that of a parameter.
  const bool takes_attachments = (take & DLCC_SAVE_PARAMS) && !file.is_plain();
  Attachments attachments = takes_attachments ? attachments_of(file) : Attachments();
  if (staged.empty() && !skipped.empty())
    fail(DLCC_E_MISMATCH, "'%s': nothing in it fits this model: %s", escape(path).c_str(), skipped[0].c_str());
  if (!ready_ && !skipped.empty())
    fail(DLCC_E_STATE, "'%s' does not hold the whole state of this model, which has none yet: %s", escape(path).c_str(),
         skipped[0].c_str());
  if (!ready_ && !(what & DLCC_SAVE_PARAMS))
    fail(DLCC_E_STATE, "the session has no state yet: call dlcc_init before loading '%s'", escape(path).c_str());
  for (const std::string& text : skipped) log(1, "'" + escape(path) + "': skipped: " + text);

  load_counters(file, take);
  if (what & DLCC_SAVE_OPT) clear_gradients();
  for (const auto& [i, bytes] : staged)
    if (!bytes.empty()) std::memcpy(state_data(i), bytes.data(), bytes.size());
  if (what & DLCC_SAVE_OPT) pending_gradients_ = pending;
  if (takes_attachments) attachments_ = std::move(attachments);
  mark_cache_stale();
  ready_ = true;
}

} // namespace dlcc::runtime
