#include "python/forest.h"

#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "python/errors.h"
#include "runtime/error.h"
#include "runtime/forest.h"

namespace sardonyx::python {

const char* const kPackTreesDoc =
    "pack_trees(feature, split, yes, no, yes_is_leaf, no_is_leaf, missing, set_of, roots, rows, n_leaves, n_features, "
    "/)\n--\n\n"
    "Put the nodes of an ensemble in the order of the kernels: nodes, flags, trees, leaves, used, shift.\n\n"
    "Arrays as in sardonyx.kernels.trees.Nodes: split of float32 or float64, the others of int64, int32, uint8 or "
    "bool. ValueError: a number points beyond its table, a node is reached twice.";

const char* const kDistinctRowsDoc =
    "distinct_rows(rows, most, /)\n--\n\n"
    "Find rows of the same bits in a C-contiguous matrix: (number of each among the different ones, where those are), "
    "both uint32; None where more than `most` are different.";

const char* const kReadVarintsDoc =
    "read_varints(buffer, tag, /)\n--\n\n"
    "Read protobuf's integers: all of a packed list if `tag` is below 0, else as many as begin with this byte.\n\n"
    "Returns them, int32, or int64 where one of them needs it, and how many bytes they were. ValueError: the last "
    "has no end.";

namespace {

struct Wrong {};  // an argument; the exception is set

Integers integers_of(PyObject* object, npy_intp n, bool optional = false) {
  if (PyArray_Check(object)) {
    PyArrayObject* array = as_array(object);
    const char kind = PyArray_DESCR(array)->kind;  // whatever C calls a type of this width
    const npy_intp size = PyArray_SIZE(array), bytes = PyArray_ITEMSIZE(array);
    const bool known = kind == 'b' || (kind == 'u' && bytes == 1) || (kind == 'i' && (bytes == 4 || bytes == 8));
    if (known && PyArray_NDIM(array) == 1 && PyArray_ISCARRAY_RO(array) &&
        (n < 0 || size == n || (optional && size == 0)))
      return {PyArray_DATA(array), static_cast<std::size_t>(size), static_cast<int>(bytes)};
  }
  PyErr_SetString(PyExc_TypeError, "pack_trees: arrays of another type or length than documented");
  throw Wrong{};
}

template <class T>
std::span<const T> numbers_of(PyObject* object, int type, npy_intp n) {
  if (!PyArray_Check(object) || PyArray_TYPE(as_array(object)) != type) return {};
  if (PyArray_NDIM(as_array(object)) != 1 || PyArray_DIM(as_array(object), 0) != n ||
      !PyArray_ISCARRAY_RO(as_array(object)))
    return {};
  return {static_cast<const T*>(PyArray_DATA(as_array(object))), static_cast<std::size_t>(n)};
}

template <class T>
PyObject* array_of(const std::vector<T>& values, int type, npy_intp columns) {
  npy_intp dims[2] = {static_cast<npy_intp>(values.size()) / columns, columns};
  PyObject* array = PyArray_SimpleNew(columns == 1 ? 1 : 2, dims, type);
  if (array != nullptr && !values.empty())
    std::memcpy(PyArray_DATA(as_array(array)), values.data(), values.size() * sizeof(T));
  return array;
}

// The words as an array of pairs, of the places only.
PyObject* first_pairs(PyObject* words, std::size_t places) {
  npy_intp dims[2] = {static_cast<npy_intp>(places), 2};
  PyArray_Dims shape{dims, 2};
  if (PyArray_SIZE(as_array(words)) == dims[0] * 2) {
    PyObject* pairs = PyArray_Resize(as_array(words), &shape, 0, NPY_CORDER);
    Py_XDECREF(pairs);  // None
    if (pairs != nullptr) return words;
    Py_DECREF(words);
    return nullptr;
  }
  PyObject* pairs = PyArray_SimpleNew(2, dims, PyArray_TYPE(as_array(words)));
  if (pairs != nullptr)
    std::memcpy(PyArray_DATA(as_array(pairs)), PyArray_DATA(as_array(words)),
                static_cast<std::size_t>(PyArray_NBYTES(as_array(pairs))));
  Py_DECREF(words);
  return pairs;
}

PyObject* packed(const TreeNodes& nodes) {
  PyObject* words = nullptr;
  const auto give = [&](std::size_t count, std::size_t bytes) -> void* {
    auto dim = static_cast<npy_intp>(count);
    Py_CLEAR(words);
    words = PyArray_SimpleNew(1, &dim, bytes == 4 ? NPY_UINT32 : NPY_UINT64);
    if (words == nullptr) throw Wrong{};
    return PyArray_DATA(as_array(words));
  };
  try {
    const PackedTrees trees = sardonyx::pack_trees(nodes, give);
    return Py_BuildValue("(NNNNNi)", first_pairs(words, trees.places), array_of(trees.flags, NPY_UINT8, 1),
                         array_of(trees.trees, NPY_INT64, 3), array_of(trees.leaves, NPY_UINT32, 1),
                         array_of(trees.used, NPY_INT32, 1), trees.shift);
  } catch (...) {
    Py_CLEAR(words);
    throw;
  }
}

}  // namespace

PyObject* pack_trees(PyObject*, PyObject* arguments) {
  PyObject *feature, *split, *yes, *no, *yes_is_leaf, *no_is_leaf, *missing, *set_of, *roots, *rows;
  Py_ssize_t n_leaves = 0, n_features = 0;
  if (!PyArg_ParseTuple(arguments, "OOOOOOOOOOnn", &feature, &split, &yes, &no, &yes_is_leaf, &no_is_leaf, &missing,
                        &set_of, &roots, &rows, &n_leaves, &n_features))
    return nullptr;
  try {
    const Integers features = integers_of(feature, -1);
    const auto n = static_cast<npy_intp>(features.size);
    const TreeNodes nodes{features,
                          numbers_of<float>(split, NPY_FLOAT32, n),
                          numbers_of<double>(split, NPY_FLOAT64, n),
                          integers_of(yes, n),
                          integers_of(no, n),
                          integers_of(yes_is_leaf, n),
                          integers_of(no_is_leaf, n),
                          integers_of(missing, n),
                          integers_of(set_of, n, true),
                          integers_of(roots, -1),
                          integers_of(rows, n_leaves, true),
                          n_leaves,
                          n_features};
    if (n > 0 && nodes.split32.empty() && nodes.split64.empty()) integers_of(Py_None, n);  // says so
    if (n == 0 || nodes.roots.size == 0 || n_features < 1 || n_features > INT32_MAX || n > INT32_MAX ||
        n_leaves > INT32_MAX)
      throw Error("no nodes, no trees, or too many of them, or of features");
    return packed(nodes);
  } catch (const Wrong&) {
    return nullptr;
  } catch (...) {
    return raise_current(PyExc_ValueError);
  }
}

PyObject* distinct_rows(PyObject*, PyObject* arguments) {
  PyObject* rows;
  Py_ssize_t most = 0;
  if (!PyArg_ParseTuple(arguments, "On", &rows, &most)) return nullptr;
  if (!PyArray_Check(rows) || PyArray_NDIM(as_array(rows)) != 2 || !PyArray_ISCARRAY_RO(as_array(rows)) ||
      PyDataType_REFCHK(PyArray_DESCR(as_array(rows))) || PyArray_DIM(as_array(rows), 0) > UINT32_MAX || most < 0 ||
      most > INT32_MAX) {
    PyErr_SetString(PyExc_TypeError, "distinct_rows: takes a C-contiguous matrix of numbers");
    return nullptr;
  }
  try {
    const auto n = static_cast<std::size_t>(PyArray_DIM(as_array(rows), 0));
    Distinct found;
    const auto bytes = static_cast<std::size_t>(PyArray_DIM(as_array(rows), 1) * PyArray_ITEMSIZE(as_array(rows)));
    if (!find_distinct(PyArray_DATA(as_array(rows)), n, bytes, static_cast<std::size_t>(most), found)) Py_RETURN_NONE;
    return Py_BuildValue("(NN)", array_of(found.row, NPY_UINT32, 1), array_of(found.kept, NPY_UINT32, 1));
  } catch (...) {
    return raise_current(PyExc_ValueError);
  }
}

namespace {

struct Varints {
  const unsigned char* at;
  const unsigned char* end;
  int tag;

  bool more() const { return at < end && (tag < 0 || *at == tag); }

  // 7 bits a byte, the lowest first, the last byte below 128; what is beyond 64 bits is dropped, as protobuf does.
  // False where the number has no end, or more than ten bytes.
  bool next(std::int64_t& number) {
    if (tag >= 0) ++at;
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 70 && at < end; shift += 7) {
      const std::uint64_t byte = *at++;
      bits |= (byte & 0x7F) << (shift > 63 ? 63 : shift);
      if (byte >= 0x80) continue;
      number = static_cast<std::int64_t>(bits);
      return true;
    }
    return false;
  }
};

// Throws where a number has no end; false where one is too large for T.
template <class T>
bool read_numbers(Varints& from, std::vector<T>& to) {
  for (std::int64_t number; from.more(); to.push_back(static_cast<T>(number))) {
    if (!from.next(number)) throw Error("an integer without end");
    if (static_cast<std::int64_t>(static_cast<T>(number)) != number) return false;
  }
  return true;
}

template <class T>
PyObject* numbers_in(const Py_buffer& view, int tag, int type) {
  const auto* begin = static_cast<const unsigned char*>(view.buf);
  Varints from{begin, begin + view.len, tag};
  std::vector<T> numbers;
  numbers.reserve(static_cast<std::size_t>(view.len) / 2);
  if (!read_numbers(from, numbers)) return nullptr;
  return Py_BuildValue("(Nn)", array_of(numbers, type, 1), static_cast<Py_ssize_t>(from.at - begin));
}

}  // namespace

PyObject* read_varints(PyObject*, PyObject* arguments) {
  Py_buffer view;
  int tag = 0;
  if (!PyArg_ParseTuple(arguments, "y*i", &view, &tag)) return nullptr;
  PyObject* result = nullptr;
  try {
    result = numbers_in<std::int32_t>(view, tag, NPY_INT32);
    if (result == nullptr && !PyErr_Occurred()) result = numbers_in<std::int64_t>(view, tag, NPY_INT64);
  } catch (...) {
    raise_current(PyExc_ValueError);
  }
  PyBuffer_Release(&view);
  return result;
}

PyObject* give_back_memory(PyObject*, PyObject*) {
#if defined(__GLIBC__)
  PyThreadState* released = PyEval_SaveThread();
  malloc_trim(0);
  PyEval_RestoreThread(released);
#endif
  Py_RETURN_NONE;
}

}  // namespace sardonyx::python
