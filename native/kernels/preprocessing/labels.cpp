// LabelEncoder: every element is replaced by the value of its key, or by the default.
//
// Inputs x (rows), keys, values, default (constants); x and keys of one type, values and default of another. Numbers
// are equal as numbers, except that NaN equals NaN; text is equal byte by byte. Of equal keys the first counts.
#include "kernels/check.h"
#include "kernels/preprocessing/lookup.h"

namespace sardonyx {
namespace {

void check_label_encoder(const Step& step) {
  constexpr const char* name = "LabelEncoder";
  require_counts(step, name, 4, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &keys = step.inputs[1], &values = step.inputs[2], &fallback = step.inputs[3];
  require(!x.constant && keys.constant && values.constant && fallback.constant, name, "needs rows and three constants");
  require(keys.dtype == x.dtype, name, "keys of another type than the input");
  require(values.dtype == fallback.dtype && values.dtype == step.outputs[0].dtype, name, "values of different types");
  require(keys.width == values.width, name, "not as many keys as values");
  require(keys.width <= kMostKeys, name, "too many keys");
  require(fallback.width == 1, name, "the default is not one value");
  require(step.outputs[0].width == x.width, name, "output of the wrong size");
}

void* prepare_label_encoder(const Step& step) { return table_of(step.inputs[1], "LabelEncoder"); }

void run_label_encoder(const Step& step, std::int64_t rows, const Context& context) {
  const Table& table = *static_cast<const Table*>(context.state);
  const std::int64_t n = rows * step.inputs[0].width;
  with_key(step.inputs[0].dtype, [&]<class K>(Type<K>) {
    const K* x = data_of<K>(step.inputs[0]);
    const K* keys = data_of<K>(step.inputs[1]);
    with_item(step.outputs[0].dtype, [&]<class V>(Type<V>) {
      const V* values = data_of<V>(step.inputs[2]);
      const V fallback = *data_of<V>(step.inputs[3]);
      V* y = data_of<V>(step.outputs[0]);
      for (std::int64_t i = 0; i < n; ++i) {
        std::uint64_t at = 0;
        const std::int32_t key = find(table, keys, x[i], &at);
        y[i] = key < 0 ? fallback : values[key];
      }
    });
  });
}
SARDONYX_KERNEL("LabelEncoder", {.check = check_label_encoder,
                                 .run = run_label_encoder,
                                 .prepare = prepare_label_encoder,
                                 .release = release_table});

}  // namespace
}  // namespace sardonyx
