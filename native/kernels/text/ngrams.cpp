// Ngrams: how often each known n-gram of tokens occurs in a list of them, as TfIdfVectorizer of ai.onnx counts.
//
// Inputs: tokens as numbers (rows, int64; -1 for one of no n-gram), and a tree of the known n-grams as its edges:
//
//   edges     parent  token            edge e leads to node e + 1; the root is node 0; sorted by parent, then token
//   columns   of the n-gram that ends there, or -1
//
// Params [lists, tokens, longest, skipped]: tokens of an n-gram are 1 to skipped + 1 places apart, all alike. A single
// token is counted once.
#include "kernels/check.h"

namespace sardonyx {
namespace {

void check(const Step& step) {
  constexpr const char* name = "Ngrams";
  require_counts(step, name, 3, 1, 4);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &edges = step.inputs[1], &columns = step.inputs[2], &y = step.outputs[0];
  const std::int64_t lists = step.params[0].i, tokens = step.params[1].i;
  require(!x.constant && x.dtype == DType::i64, name, "needs rows of int64");
  require(edges.constant && edges.dtype == DType::i64 && edges.rank == 2 && edges.dims[1] == 2, name,
          "edges are not pairs of int64");
  require(columns.constant && columns.dtype == DType::i64 && columns.width == edges.dims[0], name,
          "needs a column for each edge");
  require(y.dtype == DType::f32 && lists >= 1 && covers(lists, tokens, 1, x.width) && y.width % lists == 0, name,
          "params do not fit");
  require(in_range(step.params[2].i, 1, kLargest) && in_range(step.params[3].i, 0, tokens), name,
          "lengths are out of range");
  const std::int64_t count = edges.dims[0], width = y.width / lists;
  const auto *edge = data_of<const std::int64_t>(edges), *column = data_of<const std::int64_t>(columns);
  for (std::int64_t e = 0; e < count; ++e, edge += 2) {
    require(in_range(column[e], -1, width - 1), name, "a column is out of range");
    require(e == 0 || edge[-2] < edge[0] || (edge[-2] == edge[0] && edge[-1] < edge[1]), name, "edges are not sorted");
  }
}

// The edge from a node for a token, or -1.
inline std::int64_t edge_of(const std::int64_t* edges, std::int64_t count, std::int64_t node, std::int64_t token) {
  std::int64_t low = 0, high = count;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    const std::int64_t* edge = edges + 2 * middle;
    if (edge[0] < node || (edge[0] == node && edge[1] < token)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && edges[2 * low] == node && edges[2 * low + 1] == token ? low : -1;
}

void run(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t lists = step.params[0].i, tokens = step.params[1].i, longest = step.params[2].i;
  const std::int64_t count = step.inputs[1].dims[0], width = step.outputs[0].width / lists;
  const auto *edges = data_of<const std::int64_t>(step.inputs[1]),
             *columns = data_of<const std::int64_t>(step.inputs[2]);
  const auto* x = data_of<const std::int64_t>(step.inputs[0]);
  auto* y = data_of<float>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows * lists; ++r, x += tokens, y += width) {
    for (std::int64_t i = 0; i < width; ++i) y[i] = 0;
    for (std::int64_t apart = 1; apart <= step.params[3].i + 1; ++apart) {
      for (std::int64_t start = 0; start < tokens; ++start) {
        std::int64_t node = 0;
        for (std::int64_t n = 1, at = start; n <= longest && at < tokens; ++n, at += apart) {
          const std::int64_t edge = x[at] < 0 ? -1 : edge_of(edges, count, node, x[at]);
          if (edge < 0) break;
          if (columns[edge] >= 0 && (n > 1 || apart == 1)) y[columns[edge]] += 1;
          node = edge + 1;
        }
      }
    }
  }
}

double cost(const Step& step) { return 20.0 * static_cast<double>(step.inputs[0].width * (step.params[3].i + 1)); }

SARDONYX_KERNEL("Ngrams", {.check = check, .run = run, .cost = cost});

}  // namespace
}  // namespace sardonyx
