#include "python/forest.h"

#include <cstring>
#include <exception>
#include <new>
#include <span>
#include <vector>

#include "runtime/error.h"
#include "runtime/forest.h"

namespace sardonyx::python {

const char* const kPackTreesDoc =
    "pack_trees(feature, split, children, is_leaf, missing, set_of, roots, n_leaves, n_features, /)\n--\n\n"
    "Put the nodes of an ensemble in the order of the kernels: nodes, flags, trees, leaves, used, source, left, "
    "shift.\n\n"
    "Arrays as in sardonyx.kernels.trees.Nodes. ValueError: a number points beyond its table, a node is reached twice.";

namespace {

PyArrayObject* as_array(PyObject* object) { return reinterpret_cast<PyArrayObject*>(object); }

template <class T>
std::span<const T> span_of(PyObject* object) {
  return {static_cast<const T*>(PyArray_DATA(as_array(object))),
          static_cast<std::size_t>(PyArray_SIZE(as_array(object)))};
}

// The arguments as they must be: native, contiguous, of one length. Sets a TypeError otherwise.
bool fits(PyObject* object, int type, npy_intp rows, npy_intp n) {
  if (PyArray_Check(object)) {
    PyArrayObject* array = as_array(object);
    const bool shaped = rows == 1
                            ? PyArray_NDIM(array) == 1 && (n < 0 || PyArray_DIM(array, 0) == n)
                            : PyArray_NDIM(array) == 2 && PyArray_DIM(array, 0) == rows && PyArray_DIM(array, 1) == n;
    if (shaped && PyArray_TYPE(array) == type && PyArray_ISCARRAY_RO(array)) return true;
  }
  PyErr_SetString(PyExc_TypeError, "pack_trees: arrays of another type or length than documented");
  return false;
}

template <class T>
PyObject* array_of(const std::vector<T>& values, int type, npy_intp columns) {
  npy_intp dims[2] = {static_cast<npy_intp>(values.size()) / columns, columns};
  PyObject* array = PyArray_SimpleNew(columns == 1 ? 1 : 2, dims, type);
  if (array != nullptr && !values.empty())
    std::memcpy(PyArray_DATA(as_array(array)), values.data(), values.size() * sizeof(T));
  return array;
}

PyObject* packed(const TreeNodes& nodes, const Placement& placement) {
  npy_intp dims[2] = {static_cast<npy_intp>(placement.source.size()), 2};
  npy_intp n_flags = placement.flags ? dims[0] : 0;
  PyObject* words = PyArray_SimpleNew(2, dims, placement.shift < 32 ? NPY_UINT32 : NPY_UINT64);
  PyObject* flags = PyArray_SimpleNew(1, &n_flags, NPY_UINT8);
  if (words != nullptr) write_nodes(nodes, placement, PyArray_DATA(as_array(words)));
  if (flags != nullptr && n_flags > 0)
    write_flags(nodes, placement, static_cast<std::uint8_t*>(PyArray_DATA(as_array(flags))));
  return Py_BuildValue("(NNNNNNNi)", words, flags, array_of(placement.trees, NPY_INT64, 3),
                       array_of(placement.leaves, NPY_INT64, 1), array_of(placement.used, NPY_INT32, 1),
                       array_of(placement.source, NPY_UINT32, 1), array_of(placement.left, NPY_UINT32, 1),
                       placement.shift);
}

}  // namespace

PyObject* pack_trees(PyObject*, PyObject* arguments) {
  PyObject *feature, *split, *children, *is_leaf, *missing, *set_of, *roots;
  Py_ssize_t n_leaves = 0, n_features = 0;
  if (!PyArg_ParseTuple(arguments, "OOOOOOOnn", &feature, &split, &children, &is_leaf, &missing, &set_of, &roots,
                        &n_leaves, &n_features))
    return nullptr;
  if (!fits(feature, NPY_INT64, 1, -1)) return nullptr;
  const npy_intp n = PyArray_DIM(as_array(feature), 0);
  const bool narrow = PyArray_Check(split) && PyArray_TYPE(as_array(split)) == NPY_FLOAT32;
  if (!fits(split, narrow ? NPY_FLOAT32 : NPY_FLOAT64, 1, n) || !fits(children, NPY_INT64, 2, n) ||
      !fits(is_leaf, NPY_BOOL, 2, n) || !fits(missing, NPY_BOOL, 1, n) || !fits(set_of, NPY_INT64, 1, n) ||
      !fits(roots, NPY_INT64, 1, -1))
    return nullptr;
  const auto count = static_cast<std::size_t>(n);
  const auto sides = span_of<std::int64_t>(children);
  const auto leaf = span_of<bool>(is_leaf);
  const TreeNodes nodes{span_of<std::int64_t>(feature),
                        narrow ? span_of<float>(split) : std::span<const float>{},
                        narrow ? std::span<const double>{} : span_of<double>(split),
                        sides.first(count),
                        sides.last(count),
                        leaf.first(count),
                        leaf.last(count),
                        span_of<bool>(missing),
                        span_of<std::int64_t>(set_of),
                        span_of<std::int64_t>(roots),
                        n_leaves,
                        n_features};
  try {
    if (n == 0 || nodes.roots.empty() || n_features < 1 || n_features > INT32_MAX || n > INT32_MAX ||
        n_leaves > INT32_MAX)
      throw Error("no nodes, no trees, or too many of them, or of features");
    return packed(nodes, place_nodes(nodes));
  } catch (const Error& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return nullptr;
}

}  // namespace sardonyx::python
