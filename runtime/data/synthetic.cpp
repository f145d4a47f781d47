#include "runtime/data/synthetic.h"

#include "runtime/core/permutation.h"
#include "runtime/data/error.h"
#include "runtime/data/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dlcc::data {

namespace {

// The stream of each kind of draw, so that changing one option leaves the others' draws alone.
enum Draw : uint32_t { features_draw, labels_draw, structure_draw, noise_draw };

struct Work {
  const SyntheticSpec& spec;
  const TensorSpec& input;
  const TensorSpec* label;
  int64_t n, features, outputs, classes;
  std::vector<double> x, y; // [n, features], [n, outputs] in double
  std::string file;
  Place place;

  [[noreturn]] void fail(const std::string& text) const {
    throw DataError(Code::data, file, place.line, place.column, spec.generator + ": " + text, "generator");
  }
  double* row(int64_t i) { return x.data() + i * features; }
};

int64_t option(const Work& w, const std::optional<int64_t>& value, int64_t otherwise, const char* name) {
  int64_t v = value.value_or(otherwise);
  if (v < 0 || v > w.features)
    w.fail(std::string(name) + " = " + std::to_string(v) + ", expected 0 to " + std::to_string(w.features));
  return v;
}

std::vector<double> matrix(Random& r, int64_t rows, int64_t columns) {
  std::vector<double> m(static_cast<size_t>(rows * columns));
  for (double& v : m) v = r.uniform(-1, 1);
  return m;
}

// out[j] = sum_i in[i] * m[i, j]
void multiply(const double* in, int64_t rows, const std::vector<double>& m, int64_t columns, double* out) {
  std::fill_n(out, columns, 0.0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) out[j] += in[i] * m[static_cast<size_t>(i * columns + j)];
}

// Distinct vertices of the hypercube, as bits; taken one per cluster.
std::vector<uint64_t> vertices(Random& r, int64_t count, int64_t bits) {
  std::vector<uint64_t> out;
  while (static_cast<int64_t>(out.size()) < count) {
    uint64_t v = bits >= 64 ? r.bits64() : r.bits64() >> (64 - bits);
    if (std::find(out.begin(), out.end(), v) == out.end()) out.push_back(v);
  }
  return out;
}

// scikit-learn's make_classification (Guyon, "Design of experiments of the NIPS 2003 variable selection benchmark"):
// clusters N(0, I) A_k + vertex * class_sep in the informative features, linear mixtures of them in the redundant ones,
// noise in the rest; the columns and the samples are shuffled, and flip_y of the labels are drawn anew.
void make_classification(Work& w) {
  const SyntheticSpec& s = w.spec;
  int64_t informative =
      option(w, s.informative, std::min<int64_t>(w.features, std::max<int64_t>(2, w.features / 2)), "informative");
  int64_t redundant = option(w, s.redundant, std::min<int64_t>(2, w.features - informative), "redundant");
  if (s.clusters_per_class < 1 || s.clusters_per_class > 10'000 || w.classes > 10'000 ||
      w.classes * s.clusters_per_class > 10'000)
    w.fail("more than 10,000 clusters, or none");
  int64_t clusters = w.classes * s.clusters_per_class;
  if (informative < 1 || informative + redundant > w.features)
    w.fail("informative and redundant features do not fit " + std::to_string(w.features));
  if (informative > 4096 || clusters * informative * informative > 1 << 27)
    w.fail("too many clusters of informative features");
  if (informative < 62 && clusters > int64_t{1} << informative)
    w.fail(std::to_string(clusters) + " clusters do not fit the corners of " + std::to_string(informative) +
           " informative features");
  Random structure(s.seed, structure_draw), noise(s.seed, features_draw), labels(s.seed, labels_draw);
  std::vector<uint64_t> corner = vertices(structure, clusters, informative);
  std::vector<std::vector<double>> shape;
  for (int64_t k = 0; k < clusters; ++k) shape.push_back(matrix(structure, informative, informative));
  std::vector<double> mixture = matrix(structure, informative, redundant);
  runtime::Permutation samples(static_cast<uint64_t>(w.n), s.seed, 1),
      columns(static_cast<uint64_t>(w.features), s.seed, 2);
  std::vector<double> z(static_cast<size_t>(informative)), made(static_cast<size_t>(w.features));
  for (int64_t i = 0; i < w.n; ++i) {
    auto cluster = static_cast<size_t>(i % clusters);
    for (double& v : z) v = noise.normal();
    multiply(z.data(), informative, shape[cluster], informative, made.data());
    for (int64_t j = 0; j < informative; ++j)
      made[static_cast<size_t>(j)] += (j < 64 && (corner[cluster] >> j & 1)) ? s.class_sep : -s.class_sep;
    multiply(made.data(), informative, mixture, redundant, made.data() + informative);
    for (int64_t j = informative + redundant; j < w.features; ++j) made[static_cast<size_t>(j)] = noise.normal();
    auto to = static_cast<int64_t>(samples(static_cast<uint64_t>(i)));
    for (int64_t j = 0; j < w.features; ++j)
      w.row(to)[columns(static_cast<uint64_t>(j))] = made[static_cast<size_t>(j)];
    bool flip = labels.uniform() < s.flip_y;
    auto drawn = static_cast<double>(labels.below(static_cast<uint64_t>(w.classes)));
    w.y[static_cast<size_t>(to)] = flip ? drawn : static_cast<double>(static_cast<int64_t>(cluster) % w.classes);
  }
}

void make_regression(Work& w) {
  std::vector<double> c = planted_coefficients(w.spec, w.features);
  if (static_cast<int64_t>(c.size()) != w.features)
    w.fail(std::to_string(c.size()) + " coefficients for " + std::to_string(w.features) + " features");
  Random x(w.spec.seed, features_draw), noise(w.spec.seed, noise_draw);
  for (int64_t i = 0; i < w.n; ++i) {
    double sum = w.spec.bias.value_or(0);
    for (int64_t j = 0; j < w.features; ++j) {
      w.row(i)[j] = x.normal();
      sum += w.row(i)[j] * c[static_cast<size_t>(j)];
    }
    w.y[static_cast<size_t>(i)] = sum + w.spec.noise.value_or(0) * noise.normal();
  }
}

void make_blobs(Work& w) {
  Random centres(w.spec.seed, structure_draw), noise(w.spec.seed, features_draw), labels(w.spec.seed, labels_draw);
  if (w.classes > 100'000) w.fail("more than 100,000 blobs");
  std::vector<double> centre(static_cast<size_t>(w.classes * w.features));
  for (double& v : centre) v = centres.uniform(w.spec.low.value_or(-10), w.spec.high.value_or(10));
  for (int64_t i = 0; i < w.n; ++i) {
    auto k = static_cast<int64_t>(labels.below(static_cast<uint64_t>(w.classes)));
    w.y[static_cast<size_t>(i)] = static_cast<double>(k);
    for (int64_t j = 0; j < w.features; ++j)
      w.row(i)[j] = centre[static_cast<size_t>(k * w.features + j)] + w.spec.noise.value_or(1) * noise.normal();
  }
}

// The upper half circle around (0, 0) and the lower one around (1, 0.5), both of radius 1.
void make_moons(Work& w) {
  if (w.features != 2) w.fail("the input has " + std::to_string(w.features) + " features, 2 expected");
  Random angle(w.spec.seed, features_draw), noise(w.spec.seed, noise_draw), labels(w.spec.seed, labels_draw);
  for (int64_t i = 0; i < w.n; ++i) {
    bool lower = labels.below(2) != 0;
    double t = angle.uniform(0, std::numbers::pi);
    w.row(i)[0] = (lower ? 1 - std::cos(t) : std::cos(t)) + w.spec.noise.value_or(0) * noise.normal();
    w.row(i)[1] = (lower ? 0.5 - std::sin(t) : std::sin(t)) + w.spec.noise.value_or(0) * noise.normal();
    w.y[static_cast<size_t>(i)] = lower;
  }
}

void random_uniform(Work& w) {
  Random x(w.spec.seed, features_draw), y(w.spec.seed, labels_draw);
  for (double& v : w.x) v = x.uniform(w.spec.low.value_or(0), w.spec.high.value_or(1));
  for (double& v : w.y)
    v = w.classes > 0 ? static_cast<double>(y.below(static_cast<uint64_t>(w.classes))) : y.uniform();
}

// Hochreiter and Schmidhuber, "Long short-term memory" (1997), task 4: one number is marked in each half.
void adding_problem(Work& w) {
  const std::vector<int64_t>& shape = w.input.shape;
  if (shape.size() != 2 || shape[1] != 2 || shape[0] < 2)
    w.fail("the input has shape " + shape_text(shape) + ", [steps, 2] with at least 2 steps expected");
  auto steps = static_cast<uint64_t>(shape[0]);
  Random x(w.spec.seed, features_draw), marks(w.spec.seed, labels_draw);
  for (int64_t i = 0; i < w.n; ++i) {
    double* row = w.row(i);
    for (uint64_t t = 0; t < steps; ++t) row[2 * t] = x.uniform(), row[2 * t + 1] = 0;
    uint64_t first = marks.below(steps / 2), second = steps / 2 + marks.below(steps - steps / 2);
    row[2 * first + 1] = row[2 * second + 1] = 1;
    w.y[static_cast<size_t>(i)] = row[2 * first] + row[2 * second];
  }
}

void sine(Work& w) {
  Random phase(w.spec.seed, features_draw), noise(w.spec.seed, noise_draw);
  for (int64_t i = 0; i < w.n; ++i) {
    double start = phase.uniform(0, 2 * std::numbers::pi);
    auto at = [&](int64_t t) {
      return std::sin(start + 0.1 * static_cast<double>(t)) + w.spec.noise.value_or(0) * noise.normal();
    };
    for (int64_t t = 0; t < w.features; ++t) w.row(i)[t] = at(t);
    for (int64_t t = 0; t < w.outputs; ++t) w.y[static_cast<size_t>(i * w.outputs + t)] = at(w.features + t);
  }
}

enum class Labels { classes, numbers, either };
struct Generator {
  const char* name;
  void (*make)(Work&);
  Labels labels;
  bool one_label; // one number a sample
};
constexpr Generator generators[] = {
    {"make_classification", make_classification, Labels::classes, true},
    {"make_regression", make_regression, Labels::numbers, true},
    {"make_blobs", make_blobs, Labels::classes, true},
    {"make_moons", make_moons, Labels::classes, true},
    {"random_uniform", random_uniform, Labels::either, false},
    {"adding_problem", adding_problem, Labels::numbers, true},
    {"sine", sine, Labels::numbers, false},
};

const Generator& find_generator(const SourceSpec& source, const std::string& file) {
  for (const Generator& g : generators)
    if (source.synthetic.generator == g.name) return g;
  std::string known;
  for (const Generator& g : generators) known += (known.empty() ? "" : ", ") + std::string(g.name);
  throw DataError(Code::data, file, source.place.line, source.place.column,
                  "unknown generator '" + escape(source.synthetic.generator, 40) + "', known: " + known,
                  "unknown-name");
}

Column column_of(const TensorSpec& t, const std::vector<double>& values, ElementType type, std::vector<int64_t> shape,
                 const std::string& name) {
  Column c;
  c.name = t.name;
  c.type = type;
  c.shape = std::move(shape);
  c.origin.file = name;
  c.values.resize(static_cast<int64_t>(values.size()) * byte_size(type));
  for (size_t i = 0; i < values.size(); ++i) {
    if (type == ElementType::f64)
      c.values.as<double>()[i] = values[i];
    else if (type == ElementType::f32)
      c.values.as<float>()[i] = static_cast<float>(values[i]);
    else
      c.values.as<int32_t>()[i] = static_cast<int32_t>(values[i]);
  }
  return c;
}

Work prepare(const SourceSpec& source, std::span<const TensorSpec> tensors, const std::string& file, bool one_label) {
  auto input = std::find_if(tensors.begin(), tensors.end(), [](const TensorSpec& t) { return !t.is_label; });
  auto label = std::find_if(tensors.begin(), tensors.end(), [](const TensorSpec& t) { return t.is_label; });
  if (input == tensors.end())
    throw DataError(Code::data, file, source.place.line, source.place.column,
                    "the model has no input to generate data for", "generator");
  const SyntheticSpec& s = source.synthetic;
  Work w{.spec = s,
         .input = *input,
         .label = label == tensors.end() ? nullptr : &*label,
         .n = s.samples,
         .features = checked_product(input->shape).value_or(0),
         .outputs = 1,
         .classes = s.classes,
         .file = file,
         .place = source.place};
  if (w.n < 1) w.fail("no samples");
  if (s.features && s.features != w.features)
    w.fail("features = " + std::to_string(s.features) + ", but '" + escape(input->name, 40) + "' has " +
           std::to_string(w.features) + " values a sample");
  if (w.label && !one_label) w.outputs = checked_product(w.label->shape).value_or(0);
  if (w.classes == 0) w.classes = w.label && w.label->classes > 0 ? w.label->classes : 0;
  if (w.classes < 0) w.fail("classes = " + std::to_string(w.classes) + ", expected 1 or more");
  constexpr int64_t most = int64_t{1} << 31;
  auto total = checked_multiply(w.n, w.features + w.outputs);
  if (w.features < 1 || w.outputs < 0 || !total || *total > most)
    w.fail("samples times features exceed 2^31 values, or there are none");
  w.x.resize(static_cast<size_t>(w.n * w.features));
  w.y.resize(static_cast<size_t>(w.n * w.outputs));
  return w;
}

} // namespace

std::vector<std::string> generator_names() {
  std::vector<std::string> names;
  for (const Generator& g : generators) names.push_back(g.name);
  return names;
}

std::vector<double> planted_coefficients(const SyntheticSpec& spec, int64_t features) {
  if (!spec.coefficients.empty()) return spec.coefficients;
  Random r(spec.seed, structure_draw);
  std::vector<double> c(static_cast<size_t>(features), 0.0);
  int64_t informative = std::clamp<int64_t>(spec.informative.value_or(std::min<int64_t>(10, features)), 0, features);
  for (int64_t j = 0; j < informative; ++j) c[static_cast<size_t>(j)] = 100 * r.uniform();
  return c;
}

Dataset generate(const SourceSpec& source, std::span<const TensorSpec> tensors, const std::string& file) {
  const Generator& g = find_generator(source, file);
  Work w = prepare(source, tensors, file, g.one_label);
  bool classes = g.labels == Labels::classes || (g.labels == Labels::either && w.classes > 0);
  if (classes && w.classes == 0) w.classes = 2;
  g.make(w);
  Dataset d;
  d.samples = w.n;
  std::string name = source.synthetic.generator;
  ElementType real = w.input.dtype == ElementType::f64 ? ElementType::f64 : ElementType::f32;
  for (const TensorSpec& t : tensors) {
    if (&t == &w.input)
      d.columns.push_back(column_of(t, w.x, real, t.shape, name));
    else if (&t == w.label)
      d.columns.push_back(
          column_of(t, w.y, classes ? ElementType::i32 : real, g.one_label ? std::vector<int64_t>{} : t.shape, name));
    else
      w.fail("data for '" + escape(t.name, 40) + "' cannot be generated; one input and one label can");
  }
  return d;
}

} // namespace dlcc::data
