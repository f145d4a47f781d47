// The layers of a model as a graph: Repeat unrolled, Residual opened, names given, `from` resolved.
#pragma once

#include "frontend/network/name_table.h"

#include <deque>
#include <map>

namespace dlcc::frontend {

/// One layer as it will be built.
struct LayerNode {
  const Record* record = nullptr;
  std::string name;             ///< "h_0/dense"
  uint32_t value = 0;           ///< of the network
  std::vector<uint32_t> inputs; ///< values of the network
  bool trainable = true;        ///< with what encloses it
  double lr_mult = 1;
};

class LayerGraph {
public:
  /// Declares a value for each layer beside those that are there already: the inputs of the model come first. Errors go
  /// to the reporter; then the graph must not be used.
  LayerGraph(const std::vector<Record>& layers, size_t input_count, NameTable& names, Reporter& report);

  const std::deque<LayerNode>& layers() const { return layers_; }
  /// The value of the last layer of the list.
  uint32_t last() const { return last_; }

private:
  /// Names are looked up in the iteration of Repeat that a layer stands in, then in what encloses it.
  struct Scope {
    std::string prefix;
    const Scope* outer = nullptr;
    std::map<std::string, int> next = {};      ///< suffix of the next default name
    std::map<std::string, Place> written = {}; ///< names that the user gave
  };
  /// Where a layer reads: a value, or a name that is resolved when all layers are there.
  struct Link {
    uint32_t value = 0;
    const Name* name = nullptr;
    const Scope* scope = nullptr;
  };
  struct Enclosing {
    bool trainable = true;
    double lr_mult = 1;
  };

  uint32_t add_list(const std::vector<Record>& layers, Scope& scope, std::optional<Link> incoming, Enclosing around);
  uint32_t add(const Record& layer, Scope& scope, std::optional<Link> previous, Enclosing around);
  uint32_t add_repeat(const Record& layer, const std::string& name, Scope& scope, std::optional<Link> incoming,
                      Enclosing around);
  uint32_t push(const Record& layer, std::string name, std::vector<Link> links, Enclosing around);
  Scope& open_scope(std::string prefix, const Scope* outer, const std::vector<Record>& layers);
  static void collect_names(const std::vector<Record>& layers, Scope& scope);
  std::string name_for(const Record& layer, Scope& scope);
  std::optional<Link> only_link(const Record& layer, const std::vector<Link>& links);
  void resolve();
  std::optional<uint32_t> resolve(const Link& link);

  size_t input_count_;
  NameTable& names_;
  Reporter& report_;
  std::deque<LayerNode> layers_;
  std::vector<std::vector<Link>> links_; ///< of each layer
  std::deque<Scope> scopes_;
  uint32_t last_ = 0;
};

/// How many layers there are when every Repeat is unrolled, at most max_nodes + 1 of them counted.
int64_t count_layers(const std::vector<Record>& layers);
/// "max_pool2d" of "MaxPool2D", as Keras does it.
std::string snake_case(const std::string& type);

} // namespace dlcc::frontend
