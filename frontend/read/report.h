// How the building of a graph speaks to the user: errors and warnings at places of the model.
#pragma once

#include "frontend/read/validate.h"
#include "ir/graph/builder.h"

namespace dlcc::frontend {

/// An error that ends the work on one layer, node or loss; what does not need its value goes on.
struct ModelError {
  const char* name = ""; ///< "": it is reported already
  std::string text = {};
  Place place = {}; ///< unknown: the place of the layer, node or loss
};

/// 'name', escaped and short.
inline std::string quoted(std::string_view name) { return "'" + escape(name, 60) + "'"; }

class Reporter {
public:
  Reporter(const ModelSpec& spec, DiagnosticList& diagnostics)
      : spec_(spec), diagnostics_(diagnostics), errors_before_(diagnostics.error_count()) {}

  void error(const char* name, std::string text, const Place& place) {
    Validator(*spec_.document, diagnostics_).error(name, std::move(text), place);
  }
  void warning(const char* name, std::string text, const Place& place) {
    diagnostics_.warning(name, std::move(text), place.where, spec_.pointer(place));
  }
  bool failed() const { return diagnostics_.error_count() != errors_before_; }

  /// Runs `body`; what it throws for the user is reported, an operator's complaint as that of what() at `place`. True
  /// if nothing was.
  template <class What, class Body> bool guard(const What& what, const Place& place, const Body& body) {
    try {
      body();
      return true;
    } catch (const ModelError& e) {
      if (*e.name) error(e.name, e.text, e.place.value == no_value ? place : e.place);
    } catch (const graph::InferError& e) {
      error("invalid-op", what() + ": " + e.what(), place);
    }
    return false;
  }

private:
  const ModelSpec& spec_;
  DiagnosticList& diagnostics_;
  size_t errors_before_;
};

} // namespace dlcc::frontend
