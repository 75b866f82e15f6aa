#include "python/call.h"

#include <algorithm>
#include <exception>

#include "python/errors.h"
#include "python/maps.h"
#include "python/pieces.h"
#include "python/ref.h"
#include "python/unending.h"

namespace sardonyx::python {
namespace {

constexpr double kWorthReleasing = 20e3;  // nanoseconds of work below which the GIL is kept
constexpr std::int64_t kPiece = 1024;     // rows to read columns for at a time, at least

bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }  // columns are not read as these

}  // namespace

// ---- binding --------------------------------------------------------------------------------------------------------

void Call::forget() {
  for (std::size_t i = 0; i < core_.inputs.size(); ++i) Py_CLEAR(kept_[i]);
  rows_ = -1;
  waits_ = false;
  reader_.reset();
  text_outputs_.clear();
  csr_inputs_.clear();
  csr_of_.clear();
}

// Made for the first input that is not read where it is: most calls have none, and it is not free.
ColumnReader& Call::reader() {
  if (!reader_) reader_.emplace();
  reader_->set_none(null_is_nan_ ? kMissingNaN : kMissingNone);
  return *reader_;
}

bool Call::bind(PyObject* feeds, const char* nulls) {
  forget();
  if (!PyDict_Check(feeds) || PyDict_GET_SIZE(feeds) != static_cast<Py_ssize_t>(core_.inputs.size())) return false;
  for (std::size_t i = 0; i < core_.inputs.size(); ++i) {
    PyObject* feed = PyDict_GetItemWithError(feeds, core_.inputs[i].name);
    null_is_nan_ = nulls != nullptr && nulls[i] != 0;
    if (feed == nullptr || !bind_one(i, feed)) return false;
  }
  return true;
}

bool Call::bind_table(std::shared_ptr<ArrowTable> given, PyObject* features, const char* nulls) {
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

bool Call::bind_one(std::size_t i, PyObject* feed) {
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

bool Call::bind_array(const Port& port, PyObject* feed, Input* input) {
  PyArrayObject* array = as_array(feed);
  if (!PyArray_ISCARRAY_RO(array) || !fits(port, array)) return false;
  const int typenum = PyArray_TYPE(array);
  const bool same = typenum == port.typenum || PyArray_EquivTypenums(typenum, port.typenum);
  if (!same && is_half(port.dtype)) return false;
  if (!same || port.dtype == DType::text) return reader().bind_array(feed, port.dtype, port.width, input);
  *input = {PyArray_DATA(array)};
  return true;
}

// A column may come as (N, 1) or (N,), whichever of the two the program says.
bool Call::fits(const Port& port, PyArrayObject* array) {
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

bool Call::bind_column(const Port& port, PyObject* feed, Input* input) {
  if (is_half(port.dtype)) return false;
  const bool matrix = port.rank == 1 && is_columns(feed) && PyTuple_GET_SIZE(feed) == port.width;
  if (matrix) return reader().bind_matrix(feed, port.dtype, &rows_, input);
  return port.width == 1 && port.rank <= 1 && reader().bind(feed, port.dtype, &rows_, input);
}

bool Call::bind_columns(const ColumnNames& columns, std::span<PyObject* const> names, std::size_t i) {
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
bool Call::bind_csr(std::size_t i, PyObject* feed) {
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

// ---- outputs --------------------------------------------------------------------------------------------------------

// Whether the results are arrays of numbers that may come from an earlier call, and go to a later one.
bool Call::is_spared() const {
  const std::int64_t bytes = schedule_.bytes_of_numbers();
  return bytes >= 0 && !core_.gives_maps && rows_ > 0 && bytes <= Spare::kMostBytes / rows_;
}

bool Call::make_outputs(PyObject* list) {
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
    outputs_[k] = port.dtype == DType::text ? text_output(k, rows_ * port.width) : PyArray_DATA(as_array(array));
  }
  return true;
}

void* Call::text_output(std::size_t k, std::int64_t count) {
  text_outputs_.push_back({k, count, std::unique_ptr<Text[]>(new Text[count])});
  return text_outputs_.back().texts.get();
}

void Call::sparse_output(std::size_t k) {
  results_of_.resize(schedule_.outputs().size(), nullptr);
  const DType dtype = core_.outputs[schedule_.outputs()[k]].dtype;
  sparse_outputs_.emplace_back(k, std::make_unique<SparseResult>(rows_, item_size(dtype)));
  results_of_[k] = sparse_outputs_.back().second.get();
}

bool Call::fill_sparse(PyObject* list) {
  for (const auto& [k, result] : sparse_outputs_) {
    const Port& port = core_.outputs[schedule_.outputs()[k]];
    PyObject* matrix = make_csr(*result, rows_, port.width, port.typenum);
    if (matrix == nullptr) return false;
    PyList_SET_ITEM(list, static_cast<Py_ssize_t>(k), matrix);
  }
  return true;
}

bool Call::fill_texts(PyObject* list) {
  for (const TextOutput& output : text_outputs_) {
    PyArrayObject* array = as_array(PyList_GET_ITEM(list, static_cast<Py_ssize_t>(output.output)));
    auto** items = static_cast<PyObject**>(PyArray_DATA(array));
    for (std::int64_t i = 0; i < output.count; ++i) {
      PyObject* item = core_.texts->get(output.texts[i]);
      if (item == nullptr) return false;
      Py_XSETREF(items[i], item);
    }
  }
  return true;
}

bool Call::fill_maps(PyObject* list) {
  for (std::size_t k = 0; k < schedule_.outputs().size(); ++k) {
    const Port& port = core_.outputs[schedule_.outputs()[k]];
    if (port.keys == nullptr) continue;
    const auto at = static_cast<Py_ssize_t>(k);
    PyObject* maps = maps_of_rows(PyList_GET_ITEM(list, at), port.keys, port.empty);
    if (maps == nullptr || PyList_SetItem(list, at, maps) != 0) return false;
  }
  return true;
}

// ---- running --------------------------------------------------------------------------------------------------------

PyObject* Call::run() {
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

// False: a value does not fit, or a Python error is set.
bool Call::compute() {
  bool fits = true;
  std::exception_ptr error;
  const bool briefly = rows_ == 1 || schedule_.nanoseconds_per_row() * static_cast<double>(rows_) < kWorthReleasing;
  PyThreadState* released = briefly ? nullptr : PyEval_SaveThread();
  try {
    fits = waits_ ? run_waiting(core_.threads) : run_bound(core_.threads);
  } catch (...) {
    error = std::current_exception();
  }
  if (released != nullptr) unending(PyEval_RestoreThread, released);
  if (error == nullptr) return fits;
  try {
    std::rethrow_exception(error);
  } catch (...) {
    raise_current(input_error);
  }
  return false;
}

bool Call::run_bound(int threads) {
  const Arrays arrays{inputs_.data(), outputs_.data(), csr_of_.empty() ? nullptr : csr_of_.data(),
                      results_of_.empty() ? nullptr : results_of_.data(), &kept_texts_};
  schedule_.run(arrays, rows_, threads);
  return true;
}

// Some inputs are columns yet to be read: all at once if they are short, or beside sparse ones; else piece by piece.
bool Call::run_waiting(int threads) {
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

bool Call::run_in_pieces(std::int64_t piece, int threads) {
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

}  // namespace sardonyx::python
