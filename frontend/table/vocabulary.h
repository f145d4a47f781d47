// The words that may stand at one place of a model: our names, what the same things are called elsewhere, and what is
// known elsewhere but not here.
#pragma once

#include "frontend/table/schema.h"
#include "ir/graph/op.h"

#include <optional>
#include <utility>

namespace dlcc::frontend {

/// Another name of something that the table has.
struct Alias {
  std::string_view family; ///< whose names: "loss", "loss key", "reduction option", "operator", "attribute"
  std::string_view name, meaning;
  /// Keys that come with it, and may not be given beside it.
  std::vector<std::pair<std::string_view, Default>> implied = {};
};

/// A name that is known elsewhere and stands for nothing here.
struct RefusedName {
  std::string_view family; ///< as that of an alias; "key": of any record
  std::string_view name;
  std::string_view advice; ///< what to write, as a predicate; "": not supported yet
};

const std::vector<Alias>& aliases();
const std::vector<RefusedName>& refused_names();

/// Without '_' and '-', in lower case. Names that agree in this are one name: "Mean-Squared_Error".
std::string plain_letters(std::string_view name);

/// "a", "a or b", "a, b or c"; with commas alone where there is no conjunction.
std::string enumerated(const std::vector<std::string>& words, std::string_view conjunction = "");

class Words {
public:
  /// `listed_by`: what prints them, where a line cannot hold them.
  Words(std::string family, std::vector<std::string> known, std::string listed_by = {})
      : family_(std::move(family)), known_(std::move(known)), listed_by_(std::move(listed_by)) {}

  void add(std::string name) { known_.push_back(std::move(name)); }

  struct Found {
    std::string name;             ///< ours
    const Alias* alias = nullptr; ///< how it was found, if by one
  };
  /// What the name stands for: itself, a name of the same letters, or by an alias.
  std::optional<Found> find(std::string_view name) const;
  /// The aliases of one of our names.
  std::vector<const Alias*> aliases_of(std::string_view name) const;
  /// What is wrong with a name that is not found: "is not supported yet; there are a, b"; "" if nobody knows it.
  std::string refusal(std::string_view name) const;
  /// What a misspelt name was meant to be, if that is one of ours; else "".
  std::string near(std::string_view name) const;
  /// ", did you mean 'f32'?", or else ", expected one of ..." with as many as a line holds.
  std::string hint(std::string_view name) const;

  struct Complaint {
    const char* name; ///< of the diagnostic
    std::string text;
  };
  /// About a name that is not found: "unknown loss 'hubre', did you mean 'huber'?", "loss 'mape' is not supported yet;
  /// ...".
  Complaint complaint(const std::string& noun, std::string_view name) const;

private:
  bool is_known(std::string_view name) const;
  std::string list() const;

  std::string family_;
  std::vector<std::string> known_;
  std::string listed_by_;
};

/// Names of a family of records; none if it has a single record, which is written without a name.
Words record_words(const GroupDef& group);
/// Keys of a record, its discriminator included.
Words key_words(const GroupDef& group, const RecordDef& record);
/// Values of a choice, or of another key that takes a word.
Words option_words(const std::string& key, const std::vector<std::string>& options);

Words operator_words(graph::OpTable ops);
Words attribute_words(const graph::OpDef& op);

/// Whether two keys mean the same in some record: "lr" and "learning_rate", "batchSize" and "batch_size".
bool is_same_key(std::string_view a, std::string_view b);

/// "'train'", "layer 'Dropout'", "'optimizer' as 'learning_rate'": where a key belongs that a record of the group
/// `here` does not have; "" if nowhere, or in too many places.
std::string where_key_belongs(std::string_view word, const GroupDef& here);

} // namespace dlcc::frontend
