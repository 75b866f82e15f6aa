// One call of a program: what the caller gives is bound to the inputs, arrays are made for the outputs, the core runs.
//
//   run(names or None, feeds)
//     every feed an ndarray of the slot's dtype and shape, C-contiguous   ->  straight to the core
//     or a scipy.sparse CSR matrix of that dtype, whatever form the program takes the input in (python/sparse.h)
//     columns of other dtypes, lists, objects, Arrow arrays (reader.h)    ->  converted where every value stays the same
//     anything else (frames, missing names, values that would change ...) ->  the hook given to set_coerce, then again
//   _run_columns(names, feeds)      the same, but returns None in place of calling the hook
//   _run_table(names, table)        the same for a table with the Arrow PyCapsule interface, whose columns are found by
//                                   name: no object of Python's is made for them
#include "python/core.h"
// NumPy first: it includes Python.h, which must precede the standard headers.
#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "python/column.h"
#include "python/maps.h"
#include "python/pieces.h"
#include "python/reader.h"
#include "python/ref.h"
#include "python/sparse.h"
#include "runtime/error.h"

namespace sardonyx::python {

PyObject* raise_current(PyObject* type_of_error) {
  try {
    throw;
  } catch (const Error& error) {
    PyErr_SetString(type_of_error, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

namespace {

bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }  // columns are not read as these

constexpr double kWorthReleasing = 20e3;  // nanoseconds of work below which the GIL is kept
constexpr std::int64_t kPiece = 1024;     // rows to read columns for at a time, at least

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
  bool bind(PyObject* feeds, const char* nulls = nullptr) {
    forget();
    if (!PyDict_Check(feeds) || PyDict_GET_SIZE(feeds) != static_cast<Py_ssize_t>(core_.inputs.size())) return false;
    for (std::size_t i = 0; i < core_.inputs.size(); ++i) {
      PyObject* feed = PyDict_GetItemWithError(feeds, core_.inputs[i].name);
      null_is_nan_ = nulls != nullptr && nulls[i] != 0;
      if (feed == nullptr || !bind_one(i, feed)) return false;
    }
    return true;
  }

  // False: a column is not there, or not taken; or a Python error is set. features: the columns of the only input's
  // matrix, a tuple of str; or None, where every input is the column of its name.
  bool bind_table(std::shared_ptr<ArrowTable> given, PyObject* features, const char* nulls) {
    forget();
    const ArrowTable& table = reader().keep(std::move(given));
    if (!table.is_struct()) return false;
    const ColumnNames columns(table);
    if (!columns.unique()) return false;
    rows_ = table.rows();
    for (std::size_t i = 0; i < core_.inputs.size(); ++i) {
      const Port& port = core_.inputs[i];
      null_is_nan_ = nulls != nullptr && nulls[i] != 0;
      PyObject* const* names = features == Py_None ? &port.name : PySequence_Fast_ITEMS(features);
      const Py_ssize_t count = features == Py_None ? 1 : PyTuple_GET_SIZE(features);
      if (is_half(port.dtype) || port.rank > 1 || port.width != count) return false;
      if (!bind_columns(columns, {names, static_cast<std::size_t>(count)}, i)) return false;
    }
    return true;
  }

  // nullptr: a value does not fit, so that the feeds need the hook; or a Python error is set.
  PyObject* run() {
    const auto count = static_cast<Py_ssize_t>(schedule_.outputs().size());
    const bool spared = is_spared();
    Ref list(spared ? core_.spare.take(count) : PyList_New(count));
    if (!list || !make_outputs(list.get())) return nullptr;
    if (rows_ > 0 && !compute()) return nullptr;
    if (!sparse_outputs_.empty() && !fill_sparse(list.get())) return nullptr;
    if (!text_outputs_.empty() && !fill_texts(list.get())) return nullptr;
    if (core_.gives_maps && !fill_maps(list.get())) return nullptr;
    if (spared) core_.spare.keep(list.get());
    return list.release();
  }

 private:
  void forget() {
    for (std::size_t i = 0; i < core_.inputs.size(); ++i) Py_CLEAR(kept_[i]);
    rows_ = -1;
    waits_ = false;
    reader_.reset();
    text_outputs_.clear();
    csr_inputs_.clear();
    csr_of_.clear();
  }

  // Made for the first input that is not read where it is: most calls have none, and it is not free.
  ColumnReader& reader() {
    if (!reader_) reader_.emplace();
    reader_->set_none(null_is_nan_ ? kMissingNaN : kMissingNone);
    return *reader_;
  }

  bool bind_one(std::size_t i, PyObject* feed) {
    const Port& port = core_.inputs[i];
    const bool array = PyArray_CheckExact(feed) && bind_array(port, feed, &bound_[i]);
    if (!array && (PyErr_Occurred() || !bind_column(port, feed, &bound_[i]))) {
      return !PyErr_Occurred() && bind_csr(i, feed);
    }
    inputs_[i] = bound_[i].data;
    waits_ = waits_ || bound_[i].waits();
    Py_INCREF(feed);
    Py_XSETREF(kept_[i], feed);
    return true;
  }

  bool bind_columns(const ColumnNames& columns, std::span<PyObject* const> names, std::size_t i) {
    Few<std::int64_t> numbers(names.size());
    for (std::size_t k = 0; k < names.size(); ++k) {
      Py_ssize_t size = 0;
      const char* name = PyUnicode_AsUTF8AndSize(names[k], &size);
      if (name == nullptr) PyErr_Clear();  // with lone surrogates, which Arrow's names cannot have
      if (name == nullptr) return false;
      numbers[k] = columns.find({name, static_cast<std::size_t>(size)});
      if (numbers[k] < 0) return false;
    }
    if (!reader().bind_columns({numbers.data(), names.size()}, core_.inputs[i].dtype, &bound_[i])) return false;
    inputs_[i] = bound_[i].data;
    waits_ = waits_ || bound_[i].waits();
    return true;
  }

  // False: it is no CSR matrix, or does not fit.
  bool bind_csr(std::size_t i, PyObject* feed) {
    const Port& port = core_.inputs[i];
    if (port.rank != 1 || port.dtype == DType::text) return false;
    auto csr = std::make_unique<CsrInput>();
    if (!csr->read(feed, port.typenum, port.width)) return false;
    if (rows_ < 0) rows_ = csr->rows();
    if (rows_ != csr->rows()) return false;
    csr_of_.resize(core_.inputs.size(), nullptr);
    csr_of_[i] = &csr->csr();
    csr_inputs_.push_back(std::move(csr));
    return true;
  }

  bool bind_array(const Port& port, PyObject* feed, Input* input) {
    auto* array = reinterpret_cast<PyArrayObject*>(feed);
    if (!PyArray_ISCARRAY_RO(array) || !fits(port, array)) return false;
    const int typenum = PyArray_TYPE(array);
    const bool same = typenum == port.typenum || PyArray_EquivTypenums(typenum, port.typenum);
    if (!same && is_half(port.dtype)) return false;
    if (!same || port.dtype == DType::text) return reader().bind_array(feed, port.dtype, port.width, input);
    *input = {PyArray_DATA(array)};
    return true;
  }

  bool bind_column(const Port& port, PyObject* feed, Input* input) {
    if (is_half(port.dtype)) return false;
    const bool matrix = port.rank == 1 && is_columns(feed) && PyTuple_GET_SIZE(feed) == port.width;
    if (matrix) return reader().bind_matrix(feed, port.dtype, &rows_, input);
    return port.width == 1 && port.rank <= 1 && reader().bind(feed, port.dtype, &rows_, input);
  }

  // A column may come as (N, 1) or (N,), whichever of the two the program says.
  bool fits(const Port& port, PyArrayObject* array) {
    const int ndim = PyArray_NDIM(array);
    const npy_intp* shape = PyArray_DIMS(array);
    if (ndim == port.rank + 1) {
      for (int d = 0; d < port.rank; ++d) {
        if (shape[d + 1] != port.dims[d]) return false;
      }
    } else {
      const bool flat = port.rank == 1 && port.dims[0] == 1 && ndim == 1;
      const bool column = port.rank == 0 && ndim == 2 && shape[1] == 1;
      if (!flat && !column) return false;
    }
    if (rows_ < 0) rows_ = shape[0];
    return rows_ == shape[0];
  }

  // Whether the results are arrays of numbers that may come from an earlier call, and go to a later one.
  bool is_spared() const {
    std::int64_t bytes = 0;
    for (const std::int32_t output : schedule_.outputs()) {
      const Port& port = core_.outputs[output];
      if (port.dtype == DType::text || port.sparse) return false;
      bytes += port.width * static_cast<std::int64_t>(item_size(port.dtype));
    }
    return !core_.gives_maps && rows_ > 0 && bytes <= Spare::kMostBytes / rows_;
  }

  bool make_outputs(PyObject* list) {
    for (std::size_t k = 0; k < schedule_.outputs().size(); ++k) {
      const Port& port = core_.outputs[schedule_.outputs()[k]];
      if (sparse_ && port.sparse) {
        sparse_output(k);
        continue;
      }
      npy_intp dims[kMaxRank + 1] = {rows_};
      for (int d = 0; d < port.rank; ++d) dims[d + 1] = port.dims[d];
      const auto at = static_cast<Py_ssize_t>(k);
      PyObject* array = PyList_GET_ITEM(list, at);
      if (!Spare::fits(array, port.rank + 1, dims, port.typenum)) {
        array = PyArray_SimpleNew(port.rank + 1, dims, port.typenum);
        if (array == nullptr || PyList_SetItem(list, at, array) != 0) return false;
      }
      outputs_[k] = port.dtype == DType::text ? text_output(k, rows_ * port.width)
                                              : PyArray_DATA(reinterpret_cast<PyArrayObject*>(array));
    }
    return true;
  }

  void sparse_output(std::size_t k) {
    results_of_.resize(schedule_.outputs().size(), nullptr);
    const DType dtype = core_.outputs[schedule_.outputs()[k]].dtype;
    sparse_outputs_.emplace_back(k, std::make_unique<SparseResult>(rows_, item_size(dtype)));
    results_of_[k] = sparse_outputs_.back().second.get();
  }

  bool fill_sparse(PyObject* list) {
    for (const auto& [k, result] : sparse_outputs_) {
      const Port& port = core_.outputs[schedule_.outputs()[k]];
      PyObject* matrix = make_csr(*result, rows_, port.width, port.typenum);
      if (matrix == nullptr) return false;
      PyList_SET_ITEM(list, static_cast<Py_ssize_t>(k), matrix);
    }
    return true;
  }

  bool fill_maps(PyObject* list) {
    for (std::size_t k = 0; k < schedule_.outputs().size(); ++k) {
      const Port& port = core_.outputs[schedule_.outputs()[k]];
      if (port.keys == nullptr) continue;
      const auto at = static_cast<Py_ssize_t>(k);
      PyObject* maps = maps_of_rows(PyList_GET_ITEM(list, at), port.keys, port.empty);
      if (maps == nullptr || PyList_SetItem(list, at, maps) != 0) return false;
    }
    return true;
  }

  struct TextOutput {
    std::size_t output;
    std::int64_t count;
    std::unique_ptr<Text[]> texts;
  };

  void* text_output(std::size_t k, std::int64_t count) {
    text_outputs_.push_back({k, count, std::unique_ptr<Text[]>(new Text[count])});
    return text_outputs_.back().texts.get();
  }

  // False: a value does not fit, or a Python error is set.
  bool compute() {
    bool fits = true;
    std::exception_ptr error;
    const bool briefly = rows_ == 1 || schedule_.nanoseconds_per_row() * static_cast<double>(rows_) < kWorthReleasing;
    PyThreadState* released = briefly ? nullptr : PyEval_SaveThread();
    try {
      fits = waits_ ? run_waiting(core_.threads) : run_bound(core_.threads);
    } catch (...) {
      error = std::current_exception();
    }
    if (released != nullptr) PyEval_RestoreThread(released);
    if (error == nullptr) return fits;
    try {
      std::rethrow_exception(error);
    } catch (...) {
      raise_current(input_error);
    }
    return false;
  }

  bool run_bound(int threads) {
    const Arrays arrays{inputs_.data(), outputs_.data(), csr_of_.empty() ? nullptr : csr_of_.data(),
                        results_of_.empty() ? nullptr : results_of_.data(), &kept_texts_};
    schedule_.run(arrays, rows_, threads);
    return true;
  }

  // Some inputs are columns yet to be read: all at once if they are short, or beside sparse ones; else piece by piece.
  bool run_waiting(int threads) {
    const std::int64_t piece = std::max(kPiece, core_.program->block_rows());
    const bool whole = core_.program->block_rows() == 0 || !csr_of_.empty() || !results_of_.empty();
    if (rows_ > piece && !whole) return run_in_pieces(piece, threads);
    for (std::size_t i = 0; i < core_.inputs.size(); ++i) {
      if (!bound_[i].waits()) continue;
      const Port& port = core_.inputs[i];
      void* to = reader_->allocate(static_cast<std::size_t>(rows_ * port.width) * item_size(port.dtype));
      if (!reader_->read(bound_[i], port.dtype, 0, rows_, to)) return false;
      inputs_[i] = to;
    }
    return run_bound(threads);
  }

  bool run_in_pieces(std::int64_t piece, int threads) {
    std::vector<Span> inputs, outputs;
    for (const Port& port : core_.inputs) inputs.push_back({port.dtype, port.width});
    for (const std::int32_t output : schedule_.outputs()) {
      outputs.push_back({core_.outputs[output].dtype, core_.outputs[output].width});
    }
    const Pieces pieces{schedule_, *reader_, {bound_.data(), inputs.size()},
                        inputs,    outputs,  {outputs_.data(), outputs.size()},
                        rows_,     piece,    &kept_texts_};
    return pieces.run(threads);
  }

  bool fill_texts(PyObject* list) {
    for (const TextOutput& output : text_outputs_) {
      auto* array = reinterpret_cast<PyArrayObject*>(PyList_GET_ITEM(list, static_cast<Py_ssize_t>(output.output)));
      auto** items = static_cast<PyObject**>(PyArray_DATA(array));
      for (std::int64_t i = 0; i < output.count; ++i) {
        PyObject* item = core_.texts->get(output.texts[i]);
        if (item == nullptr) return false;
        Py_XSETREF(items[i], item);
      }
    }
    return true;
  }

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

std::optional<std::int32_t> output_named(const Core& core, PyObject* name) {
  for (std::size_t i = 0; i < core.outputs.size(); ++i) {
    if (core.outputs[i].name == name) return static_cast<std::int32_t>(i);
  }
  for (std::size_t i = 0; PyUnicode_Check(name) && i < core.outputs.size(); ++i) {
    if (PyUnicode_Compare(core.outputs[i].name, name) == 0) return static_cast<std::int32_t>(i);
  }
  return std::nullopt;
}

std::string known_outputs(const Core& core) {
  std::string names;
  for (const Port& port : core.outputs) {
    names += names.empty() ? "'" : ", '";
    names += PyUnicode_AsUTF8(port.name);
    names += "'";
  }
  return names;
}

const Schedule* choose(const Core& core, PyObject* names) {
  if (names == Py_None) return &core.executor->all_outputs();
  if (PyUnicode_Check(names)) {
    PyErr_Format(input_error, "output names must be None or a list of str, not the str %R; give [%R]", names, names);
    return nullptr;
  }
  const Ref sequence(PySequence_Fast(names, "output names must be None or a list of str"));
  if (!sequence) return nullptr;
  if (PySequence_Fast_GET_SIZE(sequence.get()) == 0) return &core.executor->all_outputs();  // as in ONNX Runtime
  std::vector<std::int32_t> chosen;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); ++i) {
    PyObject* name = PySequence_Fast_GET_ITEM(sequence.get(), i);
    const auto output = output_named(core, name);
    if (!output) {
      PyErr_Format(input_error, "no output is named %R; the outputs are %s", name, known_outputs(core).c_str());
      return nullptr;
    }
    chosen.push_back(*output);
  }
  try {
    return &core.executor->for_outputs(chosen);
  } catch (...) {
    raise_current(input_error);
    return nullptr;
  }
}

PyObject* run_coerced(PyObject* self, Call& call, PyObject* feeds) {
  if (PyErr_Occurred()) return nullptr;
  if (coerce_hook == nullptr) {
    PyErr_SetString(PyExc_TypeError,
                    "feeds must be a dict that holds, for every input, a C-contiguous array of its dtype and shape");
    return nullptr;
  }
  const Ref coerced(PyObject_CallFunctionObjArgs(coerce_hook, self, feeds, nullptr));
  if (!coerced) return nullptr;
  if (call.bind(coerced.get())) {
    PyObject* result = call.run();
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the coerce hook did not return proper arrays");
  return nullptr;
}

// The arguments of run, called as ONNX Runtime's is: (output_names, input_feed, run_options=None), by position or name;
// and `sparse`, by name.
class RunArguments {
 public:
  static constexpr int kCount = 3;
  bool sparse() const { return sparse_; }
  PyObject* names() const { return values_[0]; }
  PyObject* feeds() const { return values_[1]; }

  bool read(PyObject* const* args, Py_ssize_t nargs, PyObject* keywords) {
    if (nargs > kCount) return refuse("run takes output_names (or None) and input_feed; %zd arguments given", nargs);
    for (Py_ssize_t i = 0; i < nargs; ++i) values_[i] = args[i];
    for (Py_ssize_t i = 0; keywords != nullptr && i < PyTuple_GET_SIZE(keywords); ++i) {
      if (!set(PyTuple_GET_ITEM(keywords, i), args[nargs + i])) return false;
    }
    if (values_[0] == nullptr || values_[1] == nullptr) {
      return refuse("run takes output_names (or None) and input_feed, as in run(None, {...})");
    }
    if (values_[2] != nullptr && values_[2] != Py_None) {
      return refuse("run_options are ONNX Runtime's and mean nothing here; leave them out");
    }
    return true;
  }

 private:
  bool set(PyObject* keyword, PyObject* value) {
    static constexpr const char* kNames[kCount] = {"output_names", "input_feed", "run_options"};
    if (PyUnicode_CompareWithASCIIString(keyword, "sparse") == 0) {
      if (!PyBool_Check(value)) return refuse("sparse=%R; give True or False", value);
      sparse_ = value == Py_True;
      return true;
    }
    for (int i = 0; i < kCount; ++i) {
      if (PyUnicode_CompareWithASCIIString(keyword, kNames[i]) != 0) continue;
      if (values_[i] != nullptr) return refuse("run got %R twice", keyword);
      values_[i] = value;
      return true;
    }
    return refuse("run has no argument %R; it takes output_names, input_feed and sparse", keyword);
  }

  template <class... Details>
  static bool refuse(const char* format, Details... details) {
    PyErr_Format(PyExc_TypeError, format, details...);
    return false;
  }

  PyObject* values_[kCount] = {};
  bool sparse_ = false;
};

PyObject* run_with(PyObject* self, PyObject* names, PyObject* feeds, bool sparse) {
  Core& core = core_of(self);
  const Schedule* schedule = choose(core, names);
  if (schedule == nullptr) return nullptr;
  Call call(core, *schedule, sparse);
  if (call.bind(feeds)) {
    PyObject* result = call.run();
    if (result != nullptr || PyErr_Occurred()) return result;
  }
  return run_coerced(self, call, feeds);
}

// Nothing: a Python error is set. Else one byte for each input, or nullptr.
std::optional<const char*> read_nulls(const Core& core, PyObject* nulls) {
  if (nulls == Py_None) return nullptr;
  if (PyBytes_Check(nulls) && PyBytes_GET_SIZE(nulls) == static_cast<Py_ssize_t>(core.inputs.size())) {
    return PyBytes_AS_STRING(nulls);
  }
  PyErr_SetString(PyExc_TypeError, "nulls are None, or bytes: one for each input");
  return std::nullopt;
}

}  // namespace

PyObject* program_run_columns(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 3) {
    PyErr_SetString(PyExc_TypeError, "_run_columns takes the names of outputs (or None), a dict of columns, and nulls");
    return nullptr;
  }
  try {
    Core& core = core_of(self);
    const Schedule* schedule = choose(core, args[0]);
    const std::optional<const char*> nulls = read_nulls(core, args[2]);
    if (schedule == nullptr || !nulls) return nullptr;
    Call call(core, *schedule, false);
    PyObject* result = call.bind(args[1], *nulls) ? call.run() : nullptr;
    if (result != nullptr) return result;
  } catch (...) {
    return raise_current(input_error);
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

namespace {

// nullptr: the library has no table to give in this way; or a Python error is set, if that is no Exception.
std::shared_ptr<ArrowTable> table_if_any(PyObject* object) {
  try {
    auto table = read_table(object);
    if (table == nullptr && PyErr_ExceptionMatches(PyExc_Exception)) PyErr_Clear();
    return table;
  } catch (const Error&) {
    return nullptr;
  }
}

bool are_names(const Core& core, PyObject* features) {
  bool are = features == Py_None || (PyTuple_Check(features) && core.inputs.size() == 1);
  for (Py_ssize_t i = 0; are && features != Py_None && i < PyTuple_GET_SIZE(features); ++i) {
    are = PyUnicode_Check(PyTuple_GET_ITEM(features, i));
  }
  if (!are) PyErr_SetString(PyExc_TypeError, "features are None, or a tuple of str for the only input");
  return are;
}

}  // namespace

PyObject* program_run_table(PyObject* self, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 4) {
    PyErr_SetString(PyExc_TypeError, "_run_table takes the names of outputs (or None), a table, features and nulls");
    return nullptr;
  }
  try {
    Core& core = core_of(self);
    const Schedule* schedule = choose(core, args[0]);
    const std::optional<const char*> nulls = read_nulls(core, args[3]);
    if (schedule == nullptr || !nulls || !are_names(core, args[2])) return nullptr;
    if (auto table = table_if_any(args[1])) {
      Call call(core, *schedule, false);
      PyObject* result = call.bind_table(std::move(table), args[2], *nulls) ? call.run() : nullptr;
      if (result != nullptr) return result;
    }
  } catch (...) {
    return raise_current(input_error);
  }
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
}

PyObject* program_run(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* keywords) {
  try {
    if (nargs == 2 && keywords == nullptr) return run_with(self, args[0], args[1], false);
    RunArguments arguments;
    if (!arguments.read(args, nargs, keywords)) return nullptr;
    return run_with(self, arguments.names(), arguments.feeds(), arguments.sparse());
  } catch (...) {
    return raise_current(input_error);
  }
}

}  // namespace sardonyx::python
