#include "frontend/layer_graph.h"

namespace dlcc::frontend {

namespace {
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

std::string place_text(const Place& place) {
  if (!place.where.known()) return "set on the command line";
  return "at " + std::to_string(place.where.line) + ":" + std::to_string(place.where.column);
}

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

LayerGraph::LayerGraph(const std::vector<Record>& layers, const std::vector<Name>& inputs, Reporter& report)
    : inputs_(inputs), report_(report) {
  for (uint32_t i = 0; i < inputs_.size(); ++i) declare(inputs_[i].text, i, inputs_[i].place, "input");
  std::optional<Link> first;
  if (inputs_.size() == 1) first = Link{0};
  Scope& scope = open_scope("", nullptr, layers);
  last_ = add_list(layers, scope, first, {});
  if (report_.failed()) return;
  resolve();
  if (!report_.failed()) sort();
}

std::optional<uint32_t> LayerGraph::find(const std::string& name) const {
  auto at = names_.find(name);
  return at == names_.end() ? std::nullopt : std::optional(at->second.source);
}

std::vector<std::string> LayerGraph::names() const {
  std::vector<std::string> out;
  for (const auto& [name, declared] : names_) out.push_back(name);
  return out;
}

std::string LayerGraph::name_of(uint32_t source) const {
  return source < inputs_.size() ? inputs_[source].text : layers_[source - inputs_.size()].name;
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
    if (!scope.written.count(name) && !names_.count(scope.prefix + name)) return scope.prefix + name;
  }
}

void LayerGraph::declare(const std::string& name, uint32_t source, const Place& place, const char* what) {
  auto [at, is_new] = names_.emplace(name, Declared{source, place, what});
  if (is_new) return;
  report_.error("duplicate-name",
                std::string(what) + " " + quoted(name) + " has the name of the " + at->second.what + " " +
                    place_text(at->second.place) + ", expected names that differ",
                place);
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
                  "the first layer has no 'from' and the model has " + std::to_string(inputs_.size()) +
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
  declare(name, last, name_place(layer), "layer");
  return last;
}

std::optional<LayerGraph::Link> LayerGraph::only_link(const Record& layer, const std::vector<Link>& links) {
  if (links.size() > 1)
    report_.error("wrong-count", "layer '" + layer.type() + "' takes 1 input, got " + std::to_string(links.size()),
                  layer.at("from").place);
  return links.empty() ? std::nullopt : std::optional(links[0]);
}

uint32_t LayerGraph::push(const Record& layer, std::string name, std::vector<Link> links, Enclosing around) {
  auto source = static_cast<uint32_t>(inputs_.size() + layers_.size());
  declare(name, source, name_place(layer), "layer");
  layers_.push_back({&layer, std::move(name), {}, around.trainable, around.lr_mult});
  links_.push_back(std::move(links));
  return source;
}

// ---- edges ----------------------------------------------------------------------------------------------------------

std::optional<uint32_t> LayerGraph::resolve(const Link& link) {
  if (!link.name) return link.source;
  for (const Scope* scope = link.scope; scope; scope = scope->outer)
    if (auto found = find(scope->prefix + link.name->text)) return found;
  report_.error("unknown-name",
                "'from' names " + quoted(link.name->text) + ", which is no layer or input" +
                    did_you_mean(link.name->text, names()),
                link.name->place);
  return std::nullopt;
}

void LayerGraph::resolve() {
  for (size_t i = 0; i < layers_.size(); ++i)
    for (const Link& link : links_[i])
      if (auto source = resolve(link)) layers_[i].inputs.push_back(*source);
}

void LayerGraph::sort() {
  needs_.resize(inputs_.size());
  for (const LayerNode& layer : layers_) needs_.push_back(layer.inputs);
  Topology topology = sort_by_need(needs_);
  if (topology.cycle.empty()) {
    order_ = std::move(topology.order);
    return;
  }
  const Record& first = *layers_[topology.cycle[0] - inputs_.size()].record;
  report_.error(
      "cycle",
      "layers form a cycle: " + cycle_text(topology.cycle, [&](uint32_t source) { return quoted(name_of(source)); }) +
          ", expected none",
      first.place);
}

} // namespace dlcc::frontend
