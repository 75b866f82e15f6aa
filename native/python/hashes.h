// hash_texts: MurmurHash3 of names, as FeatureHasher chooses columns.
#pragma once

#include "python/numpy_api.h"

namespace sardonyx::python {

extern const char* const kHashTextsDoc;

// hash_texts(texts)
PyObject* hash_texts(PyObject* module, PyObject* texts);

}  // namespace sardonyx::python
