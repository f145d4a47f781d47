#include "frontend/network/layers/layer_graph.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

Place name_place(const Record& layer) { return layer.has("name") ? layer.at("name").place : layer.place; }
} // namespace

std::string snake_case(const std::string& type) {
  std::string out;
  for (size_t i = 0; i < type.size(); ++i) {
    bool starts_word =
        i > 0 && is_upper(type[i]) && (is_lower(type[i - 1]) || (i + 1 < type.size() && is_lower(type[i + 1])));
    if (starts_word) out += '_';
    out += is_upper(type[i]) ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
  }
  return out;
}

int64_t count_layers(const std::vector<Record>& layers) { // nesting is bounded by the document's depth
  int64_t total = 0;
  for (const Record& layer : layers) {
    int64_t inner = 0, times = 1;
    if (layer.is("Residual")) inner = count_layers(layer.records("layers")) + count_layers(layer.records("shortcut"));
    if (layer.is("Repeat"))
      inner = count_layers(layer.records("layers")), times = layer.maybe_integer("times").value_or(1);
    total = std::min(total + 1 + std::min(inner, max_nodes + 1) * times, max_nodes + 1);
  }
  return total;
}

LayerGraph::LayerGraph(const std::vector<Record>& layers, size_t input_count, NameTable& names, Reporter& report)
    : input_count_(input_count), names_(names), report_(report) {
  std::optional<Link> first;
  if (input_count_ == 1) first = Link{0};
  Scope& scope = open_scope("", nullptr, layers);
  last_ = add_list(layers, scope, first, {});
  if (!report_.failed()) resolve();
}

// ---- names ----------------------------------------------------------------------------------------------------------

LayerGraph::Scope& LayerGraph::open_scope(std::string prefix, const Scope* outer, const std::vector<Record>& layers) {
  Scope& scope = scopes_.emplace_back(Scope{std::move(prefix), outer});
  collect_names(layers, scope);
  return scope;
}

// A default name makes way for one that is written; Residual opens no scope.
void LayerGraph::collect_names(const std::vector<Record>& layers, Scope& scope) {
  for (const Record& layer : layers) {
    if (layer.has("name")) scope.written.emplace(layer.text("name"), name_place(layer));
    if (!layer.is("Residual")) continue;
    collect_names(layer.records("layers"), scope);
    collect_names(layer.records("shortcut"), scope);
  }
}

std::string LayerGraph::name_for(const Record& layer, Scope& scope) {
  if (layer.has("name")) return scope.prefix + layer.text("name");
  std::string base = snake_case(layer.type());
  for (int& k = scope.next[base];;) {
    std::string name = k ? base + "_" + std::to_string(k) : base;
    ++k;
    if (!scope.written.count(name) && !names_.find(scope.prefix + name)) return scope.prefix + name;
  }
}

// ---- unrolling ------------------------------------------------------------------------------------------------------

uint32_t LayerGraph::add_list(const std::vector<Record>& layers, Scope& scope, std::optional<Link> incoming,
                              Enclosing around) {
  uint32_t last = 0;
  for (const Record& layer : layers) {
    last = add(layer, scope, incoming, around);
    incoming = Link{last};
  }
  return last;
}

uint32_t LayerGraph::add(const Record& layer, Scope& scope, std::optional<Link> previous, Enclosing around) {
  std::vector<Link> links;
  for (const Name& name : layer.names("from")) links.push_back({0, &name, &scope});
  if (links.empty() && previous) links.push_back(*previous);
  if (links.empty())
    report_.error("missing-key",
                  "the first layer has no 'from' and the model has " + std::to_string(input_count_) +
                      " inputs, expected 'from' to say which it reads",
                  layer.place);
  around.trainable = around.trainable && layer.boolean("trainable");
  around.lr_mult *= layer.number("lr_mult");
  std::string name = name_for(layer, scope);
  if (layer.is("Repeat")) return add_repeat(layer, name, scope, only_link(layer, links), around);
  if (layer.is("Residual")) {
    std::optional<Link> incoming = only_link(layer, links);
    uint32_t main = add_list(layer.records("layers"), scope, incoming, around);
    const std::vector<Record>& shortcut = layer.records("shortcut");
    if (!shortcut.empty()) incoming = Link{add_list(shortcut, scope, incoming, around)};
    links = {incoming.value_or(Link{}), Link{main}};
  }
  return push(layer, std::move(name), std::move(links), around);
}

uint32_t LayerGraph::add_repeat(const Record& layer, const std::string& name, Scope& scope,
                                std::optional<Link> incoming, Enclosing around) {
  uint32_t last = 0;
  const std::vector<Record>& inner = layer.records("layers");
  for (int64_t i = 0; i < layer.integer("times") && !report_.failed(); ++i) {
    Scope& iteration = open_scope(name + "_" + std::to_string(i) + "/", &scope, inner);
    last = add_list(inner, iteration, incoming, around);
    incoming = Link{last};
  }
  names_.alias(name, last, "layer", name_place(layer), report_);
  return last;
}

std::optional<LayerGraph::Link> LayerGraph::only_link(const Record& layer, const std::vector<Link>& links) {
  if (links.size() > 1)
    report_.error("wrong-count", "layer '" + layer.type() + "' takes 1 input, got " + std::to_string(links.size()),
                  layer.at("from").place);
  return links.empty() ? std::nullopt : std::optional(links[0]);
}

uint32_t LayerGraph::push(const Record& layer, std::string name, std::vector<Link> links, Enclosing around) {
  const uint32_t value = names_.declare(name, "layer", name_place(layer), report_);
  layers_.push_back({&layer, std::move(name), value, {}, around.trainable, around.lr_mult});
  links_.push_back(std::move(links));
  return value;
}

// ---- edges ----------------------------------------------------------------------------------------------------------

std::optional<uint32_t> LayerGraph::resolve(const Link& link) {
  if (!link.name) return link.value;
  for (const Scope* scope = link.scope; scope; scope = scope->outer)
    if (auto found = names_.find(scope->prefix + link.name->text)) return found;
  report_.error("unknown-name",
                "'from' names " + quoted(link.name->text) + ", which is no layer, node or input" +
                    did_you_mean(link.name->text, names_.names()),
                link.name->place);
  return std::nullopt;
}

void LayerGraph::resolve() {
  for (size_t i = 0; i < layers_.size(); ++i)
    for (const Link& link : links_[i])
      if (auto value = resolve(link)) layers_[i].inputs.push_back(*value);
}

} // namespace dlcc::frontend
