// The parameters of a model: declared once by the layer that owns them, read by it and by those tied to it.
#pragma once

#include "frontend/read/report.h"

#include <map>
#include <set>

namespace dlcc::frontend {

struct ParameterRequest {
  std::string name; ///< "hidden/kernel"
  Type type;
  std::string initializer = "zeros";
  Attributes initializer_attributes;
  bool trainable = true;
  double lr_mult = 1;
  bool is_weight = false; ///< a kernel, not a bias: scikit-learn's penalty applies to it
  Place place;
};

/// l1 * sum |w| + l2 * sum w^2.
struct Penalty {
  graph::StateId state;
  double l1 = 0, l2 = 0;
  Place place;
};

/// Every function of a model is built by the same code, so what is asked for again is the same parameter.
class Parameters {
public:
  Parameters(graph::Module& module, Reporter& report) : module_(module), report_(report) {}

  graph::StateId own(const ParameterRequest& request);
  /// Another layer's parameter, which may be declared later; its type is known by how it is used.
  graph::StateId tied(const std::string& name, const Type& type, const Place& place);
  /// `owner` distinguishes penalties on the same parameter.
  void penalize(const std::string& owner, graph::StateId state, const Record* regularizer);
  /// Ties to parameters that no layer declared.
  void report_missing();

  const std::vector<Penalty>& penalties() const { return penalties_; }
  const std::vector<graph::StateId>& weights() const { return weights_; }

private:
  struct Entry {
    graph::StateId state;
    bool is_owned = false;
    Place place; ///< of the first use
  };
  Entry& entry(const std::string& name, const Type& type, const Place& place);

  graph::Module& module_;
  Reporter& report_;
  std::map<std::string, Entry> entries_;
  std::vector<Penalty> penalties_;
  std::set<std::string> penalized_;
  std::vector<graph::StateId> weights_;
};

/// The arguments of a record as attributes: numbers, truth values and strings under their names. Absent ones and
/// records are left out.
Attributes attributes_of(const Record& record);

} // namespace dlcc::frontend
