// The layers of a model as a graph: Repeat unrolled, Residual opened, names given, `from` resolved, in order.
#pragma once

#include "frontend/report.h"
#include "frontend/topology.h"

#include <deque>
#include <map>

namespace dlcc::frontend {

/// One layer as it will be built.
struct LayerNode {
  const Record* record = nullptr;
  std::string name;             ///< "h_0/dense"
  std::vector<uint32_t> inputs; ///< sources
  bool trainable = true;        ///< with what encloses it
  double lr_mult = 1;
};

/// Sources are numbered: first the inputs of the model, then the layers.
class LayerGraph {
public:
  /// Errors go to the reporter; then the graph must not be used.
  LayerGraph(const std::vector<Record>& layers, const std::vector<Name>& inputs, Reporter& report);

  size_t input_count() const { return inputs_.size(); }
  const std::deque<LayerNode>& layers() const { return layers_; }
  std::optional<uint32_t> find(const std::string& name) const;
  /// All names that `from`, outputs and losses may say.
  std::vector<std::string> names() const;
  std::string name_of(uint32_t source) const;
  uint32_t last() const { return last_; }
  const Needs& needs() const { return needs_; }
  const std::vector<uint32_t>& order() const { return order_; }

private:
  /// Names are looked up in the iteration of Repeat that a layer stands in, then in what encloses it.
  struct Scope {
    std::string prefix;
    const Scope* outer = nullptr;
    std::map<std::string, int> next = {};      ///< suffix of the next default name
    std::map<std::string, Place> written = {}; ///< names that the user gave
  };
  /// Where a layer reads: a source, or a name that is resolved when all layers are there.
  struct Link {
    uint32_t source = 0;
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
  void declare(const std::string& name, uint32_t source, const Place& place, const char* what);
  std::optional<Link> only_link(const Record& layer, const std::vector<Link>& links);
  void resolve();
  std::optional<uint32_t> resolve(const Link& link);
  void sort();

  struct Declared {
    uint32_t source;
    Place place;
    const char* what;
  };
  std::vector<Name> inputs_;
  Reporter& report_;
  std::deque<LayerNode> layers_;
  std::vector<std::vector<Link>> links_; ///< of each layer
  std::deque<Scope> scopes_;
  std::map<std::string, Declared> names_;
  Needs needs_;
  std::vector<uint32_t> order_;
  uint32_t last_ = 0;
};

/// "max_pool2d" of "MaxPool2D", as Keras does it.
std::string snake_case(const std::string& type);

} // namespace dlcc::frontend
