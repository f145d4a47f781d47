#include "frontend/build/print_config.h"

#include "frontend/document/json_writer.h"
#include "frontend/build/network_as_nodes.h"

namespace dlcc::frontend {

namespace {
class ConfigPrinter {
public:
  /// `lowered`: written in place of the layers; null: they stay.
  std::string print(const ModelSpec& model, const LoweredNetwork* lowered) {
    lowered_ = lowered;
    record(*model.root, {}, false);
    return out_.take();
  }

private:
  bool network_key(const Record& model, const Key& key);
  void record(const Record& r, std::string_view discriminator, bool flat);
  void value(const Key& key, const ArgValue& value);
  void records(const Key& key, const std::vector<Record>& all);
  void extra(const ExtraArg& extra);
  void node(const NodeSpec& node);
  void attribute(const Attribute& a);
  void names(const std::vector<Name>& names) {
    out_.begin_list(true);
    for (const Name& n : names) out_.string(n.text);
    out_.end_list();
  }
  template <class T, class Write> void flat_list(const std::vector<T>& values, Write write) {
    out_.begin_list(true);
    for (const T& v : values) write(v);
    out_.end_list();
  }
  template <class T, class Write>
  void nested(const std::vector<T>& values, const Shape& shape, size_t axis, size_t& next, Write write) {
    out_.begin_list(true);
    for (int64_t i = 0; i < shape[axis]; ++i)
      if (axis + 1 == shape.size())
        write(values[next++]);
      else
        nested(values, shape, axis + 1, next, write);
    out_.end_list();
  }

  JsonWriter out_;
  const LoweredNetwork* lowered_ = nullptr;
};

// Records without records inside stand on one line.
bool is_small(const Record& r) {
  for (const Arg& arg : r.args)
    if (std::holds_alternative<std::vector<Record>>(arg.value) ||
        std::holds_alternative<std::vector<NodeSpec>>(arg.value))
      return false;
  return true;
}

void ConfigPrinter::record(const Record& r, std::string_view discriminator, bool flat) {
  if (!r.file.empty()) return out_.string(r.file);
  out_.begin_object(flat);
  if (!discriminator.empty() && !r.is(own_value) && !r.is(own_function)) out_.member(discriminator, r.type());
  for (size_t i = 0; i < r.args.size(); ++i) {
    const Key& key = r.def->keys[i];
    if (lowered_ && r.group->id == Group::model && network_key(r, key)) continue;
    if (std::holds_alternative<std::monostate>(r.args[i].value)) continue;
    out_.key(key.name);
    value(key, r.args[i].value);
  }
  for (const ExtraArg& e : r.extras) extra(e);
  out_.end_object();
}

// Writes a key of the model that lowering changes; false: the key is none of those.
bool ConfigPrinter::network_key(const Record& model, const Key& key) {
  if (key.name == "layers") return true;
  if (key.name == "params") return out_.key("params"), lowered_->write_params(out_), true;
  if (key.name == "nodes") {
    out_.key("nodes"), out_.begin_list();
    lowered_->write_layer_nodes(out_);
    for (const NodeSpec& n : model.nodes("nodes")) node(n);
    return out_.end_list(), true;
  }
  if (key.name != "outputs" || model.has("outputs")) return false;
  out_.key("outputs");
  flat_list(lowered_->outputs(), [&](const std::string& name) { out_.string(name); });
  return true;
}

void ConfigPrinter::value(const Key& key, const ArgValue& v) {
  if (const auto* x = std::get_if<bool>(&v)) return out_.boolean(*x);
  if (const auto* x = std::get_if<int64_t>(&v)) return out_.integer(*x);
  if (const auto* x = std::get_if<double>(&v)) return out_.number(*x);
  if (const auto* x = std::get_if<std::string>(&v)) return out_.string(*x);
  if (const auto* x = std::get_if<std::vector<int64_t>>(&v)) return flat_list(*x, [&](int64_t i) { out_.integer(i); });
  if (const auto* x = std::get_if<std::vector<double>>(&v)) return flat_list(*x, [&](double d) { out_.number(d); });
  if (const auto* x = std::get_if<std::vector<Name>>(&v)) return names(*x);
  if (const auto* x = std::get_if<std::vector<Record>>(&v)) return records(key, *x);
  if (const auto* x = std::get_if<std::vector<Dim>>(&v))
    return flat_list(*x, [&](const Dim& d) {
      d.symbol == "N" || (d.size == 0 && !d.symbol.empty()) ? out_.string(d.symbol) : out_.integer(d.size);
    });
  if (const auto* x = std::get_if<std::vector<std::pair<int64_t, double>>>(&v)) {
    out_.begin_object(true);
    for (const auto& [number, weight] : *x) out_.key(std::to_string(number)), out_.number(weight);
    return out_.end_object();
  }
  out_.begin_list();
  for (const NodeSpec& n : std::get<std::vector<NodeSpec>>(v)) node(n);
  out_.end_list();
}

void ConfigPrinter::records(const Key& key, const std::vector<Record>& all) {
  const GroupDef& g = group(key.group);
  if (key.kind == KeyKind::record) return record(all[0], g.discriminator, is_small(all[0]));
  if (key.kind == KeyKind::by_name) {
    out_.begin_object();
    for (const Record& r : all) out_.key(r.entry.text), record(r, g.discriminator, is_small(r));
    return out_.end_object();
  }
  out_.begin_list();
  for (const Record& r : all) record(r, g.discriminator, is_small(r));
  out_.end_list();
}

void ConfigPrinter::extra(const ExtraArg& e) {
  out_.key(e.name.text);
  if (e.is_list) out_.begin_list(true);
  for (const auto& v : e.values)
    if (const auto* number = std::get_if<int64_t>(&v))
      out_.integer(*number);
    else if (const auto* column = std::get_if<std::vector<Record>>(&v))
      record(column->front(), {}, true);
    else
      out_.string(std::get<std::string>(v));
  if (e.is_list) out_.end_list();
}

void ConfigPrinter::node(const NodeSpec& n) {
  out_.begin_object(true);
  out_.member("op", n.op.text);
  out_.key("inputs");
  names(n.inputs);
  out_.key("output");
  if (n.outputs.size() == 1)
    out_.string(n.outputs[0].text);
  else
    names(n.outputs);
  if (!n.attributes.empty()) {
    out_.key("attrs");
    out_.begin_object();
    for (const Attribute& a : n.attributes) attribute(a);
    out_.end_object();
  }
  if (!n.activity_regularizer.empty()) out_.key("activity_regularizer"), record(n.activity_regularizer[0], {}, true);
  out_.end_object();
}

void ConfigPrinter::attribute(const Attribute& a) {
  out_.key(a.name);
  size_t next = 0;
  auto list = [&](const auto& values, auto write) { nested(values, a.shape, 0, next, write); };
  if (const auto* x = std::get_if<bool>(&a.value))
    out_.boolean(*x);
  else if (const auto* i = std::get_if<int64_t>(&a.value))
    out_.integer(*i);
  else if (const auto* d = std::get_if<double>(&a.value))
    out_.number(*d);
  else if (const auto* s = std::get_if<std::string>(&a.value))
    out_.string(*s);
  else if (const auto* bs = std::get_if<std::vector<bool>>(&a.value))
    list(*bs, [&](bool v) { out_.boolean(v); });
  else if (const auto* is = std::get_if<std::vector<int64_t>>(&a.value))
    list(*is, [&](int64_t v) { out_.integer(v); });
  else if (const auto* ds = std::get_if<std::vector<double>>(&a.value))
    list(*ds, [&](double v) { out_.number(v); });
  else
    list(std::get<std::vector<std::string>>(a.value), [&](const std::string& v) { out_.string(v); });
}
} // namespace

std::string print_config(const ModelSpec& model) { return ConfigPrinter().print(model, nullptr); }

std::string print_lowered_config(const ModelSpec& model, graph::OpTable ops) {
  if (!model.has_layers()) return print_config(model);
  const LoweredNetwork lowered(model, ops);
  return ConfigPrinter().print(model, &lowered);
}

} // namespace dlcc::frontend
