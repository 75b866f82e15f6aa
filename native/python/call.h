// One call of a program: what the caller gives is bound to the inputs, arrays are made for the outputs, the core runs.
//
//   bind(feeds)   arrays in place │ columns, to be read (reader.h) │ CSR matrices (sparse.h)
//   bind_table    the columns of an Arrow table, by name
//   run()         make the outputs ─▶ compute, without the GIL if it takes long ─▶ fill in text, matrices, maps
//
// Whether something is read where it lies is decided while binding; most calls have nothing else, and cost nothing
// more.
#pragma once

#include "python/program.h"
// NumPy first: it includes Python.h, which must precede the standard headers.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "python/arrow.h"
#include "python/reader.h"
#include "python/sparse.h"
#include "runtime/executor.h"
#include "runtime/texts.h"

namespace sardonyx::python {

// Space for a few items on the stack, for more on the heap.
template <class T>
class Few {
 public:
  explicit Few(std::size_t count) {
    if (count <= kInline) return;
    heap_ = std::make_unique<T[]>(count);
    data_ = heap_.get();
  }
  T& operator[](std::size_t i) { return data_[i]; }
  T* data() { return data_; }

 private:
  static constexpr std::size_t kInline = 8;
  T inline_[kInline]{};
  std::unique_ptr<T[]> heap_;
  T* data_ = inline_;
};

class Call {
 public:
  Call(Core& core, const Schedule& schedule, bool sparse)
      : core_(core),
        schedule_(schedule),
        sparse_(sparse),
        kept_(core.inputs.size()),
        bound_(core.inputs.size()),
        inputs_(core.inputs.size()),
        outputs_(schedule.outputs().size()) {}
  ~Call() { forget(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // False: the feeds need the hook, or a Python error is set. nulls: of each input, whether a null stands for NaN; or
  // nullptr.
  bool bind(PyObject* feeds, const char* nulls = nullptr);

  // False: a column is not there, or not taken; or a Python error is set. features: the columns of the only input's
  // matrix, a tuple of str; or None, where every input is the column of its name.
  bool bind_table(std::shared_ptr<ArrowTable> given, PyObject* features, const char* nulls);

  // nullptr: a value does not fit, so that the feeds need the hook; or a Python error is set.
  PyObject* run();

 private:
  struct TextOutput {
    std::size_t output;
    std::int64_t count;
    std::unique_ptr<Text[]> texts;
  };

  void forget();
  ColumnReader& reader();
  bool bind_one(std::size_t i, PyObject* feed);
  bool bind_array(const Port& port, PyObject* feed, Input* input);
  bool bind_column(const Port& port, PyObject* feed, Input* input);
  bool bind_columns(const ColumnNames& columns, std::span<PyObject* const> names, std::size_t i);
  bool bind_csr(std::size_t i, PyObject* feed);
  bool fits(const Port& port, PyArrayObject* array);

  bool is_spared() const;
  bool make_outputs(PyObject* list);
  void* text_output(std::size_t k, std::int64_t count);
  void sparse_output(std::size_t k);

  bool compute();
  bool run_bound(int threads);
  bool run_waiting(int threads);
  bool run_in_pieces(std::int64_t piece, int threads);

  bool fill_sparse(PyObject* list);
  bool fill_texts(PyObject* list);
  bool fill_maps(PyObject* list);

  Core& core_;
  const Schedule& schedule_;
  bool sparse_;  // sparse outputs are wanted as such
  Few<PyObject*> kept_;
  Few<Input> bound_;
  Few<const void*> inputs_;
  Few<void*> outputs_;
  std::int64_t rows_ = -1;
  bool waits_ = false;        // some input has yet to be read
  bool null_is_nan_ = false;  // in the input being bound
  std::optional<ColumnReader> reader_;
  std::vector<TextOutput> text_outputs_;
  KeptTexts kept_texts_;
  std::vector<std::unique_ptr<CsrInput>> csr_inputs_;
  std::vector<const Csr*> csr_of_;  // for each input; empty without any
  std::vector<std::pair<std::size_t, std::unique_ptr<SparseResult>>> sparse_outputs_;
  std::vector<SparseResult*> results_of_;  // for each output; empty without any
};

}  // namespace sardonyx::python
