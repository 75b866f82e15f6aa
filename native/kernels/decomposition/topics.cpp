// DocumentTopics and Digamma: the E-step of online LDA, document by document, as _update_doc_distribution of
// sklearn/decomposition/_lda.py and _online_lda_fast.pyx compute it.
//
// prepare() lays the topics of a word side by side, padded with zeros to whole vectors:
//
//     word 0   t0 t1 t2 ... 0 0      a document's words are gone through once an iteration: the dot product with the
//     word 1   t0 t1 t2 ... 0 0      weights gives phi, and the same vectors are added up with the weight count / phi
#include <limits>

#include "kernels/memory.h"
#include "kernels/sparse/rows.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

constexpr double kEuler = 0.577215664901532860606512090082402431;

// To T and back: what scikit-learn keeps between terms that it computes in double.
template <class T>
Vector<double> rounded(Vector<double> x) {
  if constexpr (std::is_same_v<T, double>) return x;
  return __builtin_convertvector(__builtin_convertvector(x, NarrowFloats), Vector<double>);
}

// J. M. Bernardo, Algorithm AS 103. Above 1e-6 six steps of the recurrence reach 6.
template <class T>
Vector<double> digamma_of(Vector<double> given) {
  const auto tiny = given <= 1e-6;
  Vector<double> x = tiny ? broadcast(1.0) : given, total{};
  for (int i = 0; i < 6; ++i) {
    const auto below = x < 6.0;
    total = below ? rounded<T>(total - 1.0 / x) : total;
    x = below ? rounded<T>(x + 1.0) : x;
  }
  Vector<double> r = rounded<T>(1.0 / x);
  total = rounded<T>(total + (log_of(x) - 0.5 * r));
  r = rounded<T>(r * r);
  total = rounded<T>(total - r * (1.0 / 12.0 - r * (1.0 / 120.0 - r * (1.0 / 252.0))));
  return tiny ? rounded<T>(-kEuler - 1.0 / given) : total;
}

void check_digamma(const Step& step) {
  require_counts(step, "Digamma", 1, 1, 0);
  require_row_output(step, "Digamma");
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  require(is_float(x.dtype) && y.dtype == x.dtype && !x.constant && y.width == x.width, "Digamma",
          "takes float32 or float64 rows, gives as many");
}

void run_digamma(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    map([](Vector<double> x) { return digamma_of<T>(x); }, data_of<const T>(step.inputs[0]),
        data_of<T>(step.outputs[0]), rows * step.inputs[0].width);
  });
}

SARDONYX_KERNEL("Digamma", {.check = check_digamma, .run = run_digamma, .in_place = true});

// ---- documents ------------------------------------------------------------------------------------------------------

struct Words {
  std::int64_t topics, lanes;  // topics, and with the padding
  void* weights;
};

std::int64_t padded(std::int64_t topics) { return (topics + 15) / 16 * 16; }

void check_documents(const Step& step) {
  constexpr const char* name = "DocumentTopics";
  require(step.n_inputs == 3 && step.n_outputs == 1 && step.n_params == 3, name,
          "takes X, words and a start, gives topics, has 3 params");
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &words = step.inputs[1], &start = step.inputs[2], &y = step.outputs[0];
  require(is_float(x.dtype) && words.dtype == x.dtype && start.dtype == x.dtype && y.dtype == x.dtype, name,
          "takes float32 or float64");
  require(!x.constant && words.constant && start.constant, name, "takes rows and two constants");
  require_dense(y, name);
  require(words.rank == 2 && words.dims[0] == y.width && words.dims[1] == x.width && start.width == y.width, name,
          "shapes do not fit");
  require(in_range(integer_param(step, 0), 0, kLargest), name, "the number of iterations is negative");
  real_param(step, 1);
  real_param(step, 2);
}

template <class T>
void* words_of(const Step& step) {
  const std::int64_t topics = step.outputs[0].width, words = step.inputs[0].width, lanes = padded(topics);
  auto* made =
      allocate_state<Words>(static_cast<std::size_t>(words * lanes) * sizeof(T), "DocumentTopics", "the words");
  auto* weights = reinterpret_cast<T*>(arrays_of(made));
  *made = {topics, lanes, weights};
  const auto* from = data_of<const T>(step.inputs[1]);
  for (std::int64_t w = 0; w < words; ++w) {
    for (std::int64_t t = 0; t < topics; ++t) weights[w * lanes + t] = from[t * words + w];
  }
  return made;
}

void* prepare_documents(const Step& step) {
  return step.inputs[0].dtype == DType::f32 ? words_of<float>(step) : words_of<double>(step);
}

// Of one document: its weights, sums, topics before; of a dense one also the words that it has, and their counts.
std::size_t scratch_documents(const Step& step, std::int64_t) {
  const std::size_t words = step.inputs[0].sparse ? 0 : static_cast<std::size_t>(step.inputs[0].width);
  const std::size_t lanes = static_cast<std::size_t>(padded(step.outputs[0].width));
  return (words + 3 * lanes) * item_size(step.inputs[0].dtype) + words * sizeof(std::int32_t) + 192;
}

// One iteration's sums: for every word of the document, phi = weights . word + eps, and sums += count / phi word.
template <class T>
void gather(const T* table, std::int64_t lanes, const SparseRow<T>& document, const T* weights, T* sums) {
  constexpr int V = kLanes<T>;
  constexpr T epsilon = std::numeric_limits<T>::epsilon();
  for (std::int64_t t = 0; t < lanes; ++t) sums[t] = 0;
  for (std::int64_t i = 0; i < document.size; ++i) {
    const T* word = table + document.indices[i] * lanes;
    Vector<T> inner{};
    for (std::int64_t t = 0; t < lanes; t += V) inner = multiply_add(load(weights + t), load(word + t), inner);
    const Vector<T> share = broadcast(document.values[i] / (sum(inner) + epsilon));
    for (std::int64_t t = 0; t < lanes; t += V) store(sums + t, multiply_add(share, load(word + t), load(sums + t)));
  }
}

// The words that a dense document has.
template <class T>
SparseRow<T> words_in(const T* x, std::int64_t width, std::int32_t* ids, T* counts) {
  std::int64_t n = 0;
  for (std::int64_t w = 0; w < width; ++w) {
    if (x[w] != 0) ids[n] = static_cast<std::int32_t>(w), counts[n++] = x[w];
  }
  return {ids, counts, n};
}

// `room` holds three times as many numbers as there are lanes.
template <class T>
void iterate(const Step& step, const Words& words, const SparseRow<T>& document, T* room, T* topics) {
  const std::int64_t k = words.topics, lanes = words.lanes;
  T *weights = room, *sums = weights + lanes, *before = sums + lanes;
  const T* start = data_of<const T>(step.inputs[2]);
  const T prior = static_cast<T>(step.params[1].f);
  for (std::int64_t t = 0; t < lanes; ++t) weights[t] = t < k ? start[t] : 0;
  for (std::int64_t t = 0; t < k; ++t) topics[t] = 1;
  for (std::int64_t i = 0; i < step.params[0].i; ++i) {
    gather(static_cast<const T*>(words.weights), lanes, document, weights, sums);
    T total[1] = {0};
    double change = 0;
    for (std::int64_t t = 0; t < k; ++t) {
      before[t] = topics[t];
      topics[t] = weights[t] * sums[t] + prior;
      total[0] += topics[t];
      change += std::fabs(static_cast<double>(before[t] - topics[t]));
    }
    map([](Vector<double> v) { return digamma_of<T>(v); }, topics, weights, k);
    map([](Vector<double> v) { return digamma_of<T>(v); }, total, total, 1);
    const double all = static_cast<double>(total[0]);
    map([all](Vector<double> v) { return exp_of(rounded<T>(v - all)); }, weights, weights, k);
    if (change / static_cast<double>(k) < step.params[2].f) return;
  }
}

template <class T>
void run_documents_as(const Step& step, std::int64_t rows, const Context& context) {
  const auto& words = *static_cast<const Words*>(context.state);
  const Tensor& x = step.inputs[0];
  T* room = static_cast<T*>(context.scratch);
  T* counts = room + 3 * words.lanes;
  auto* ids = reinterpret_cast<std::int32_t*>(counts + x.width);
  T* topics = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, topics += words.topics) {
    const SparseRow<T> document =
        x.sparse ? SparseReader<T>(x)[r] : words_in(data_of<const T>(x) + r * x.width, x.width, ids, counts);
    iterate(step, words, document, room, topics);
  }
}

void run_documents(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_documents_as<T>(step, rows, context); });
}

// Some twenty iterations over a quarter of the words, or the 64 of a sparse row.
double cost_documents(const Step& step) {
  const double words = step.inputs[0].sparse ? 64 : static_cast<double>(step.inputs[0].width) / 4;
  return 100 + 5 * words * static_cast<double>(padded(step.outputs[0].width));
}

SARDONYX_KERNEL("DocumentTopics", {.check = check_documents,
                                   .run = run_documents,
                                   .scratch = scratch_documents,
                                   .prepare = prepare_documents,
                                   .release = release_memory,
                                   .cost = cost_documents,
                                   .sparse = true});

}  // namespace
}  // namespace sardonyx
