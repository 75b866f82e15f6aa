// pack_trees: native/runtime/forest.h for NumPy arrays.
#pragma once

#include "python/numpy_api.h"

namespace sardonyx::python {

extern const char* const kPackTreesDoc;

// pack_trees(feature, split, children, is_leaf, missing, set_of, roots, n_leaves, n_features)
PyObject* pack_trees(PyObject* module, PyObject* arguments);

}  // namespace sardonyx::python
