// Sparse matrices between SciPy and the core: a CSR matrix is read in place, and one is made of a sparse output.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <memory>

#include "runtime/sparse.h"
#include "runtime/sparse_result.h"

namespace sardonyx::python {

// A caller's CSR matrix, and what keeps its arrays alive.
class CsrInput {
 public:
  CsrInput() = default;
  ~CsrInput();
  CsrInput(CsrInput&& other) noexcept;
  CsrInput(const CsrInput&) = delete;
  CsrInput& operator=(const CsrInput&) = delete;

  // False: `object` is no CSR matrix of this type and width with arrays as the core reads them (or a Python error is
  // set). Throws Error where its arrays contradict each other.
  bool read(PyObject* object, int typenum, std::int64_t width);
  const Csr& csr() const { return csr_; }
  std::int64_t rows() const { return rows_; }

 private:
  bool read_shape(PyObject* object, std::int64_t width);
  bool keep(int which, PyObject* object, const char* name);

  Csr csr_{};
  std::int64_t rows_ = 0;
  PyObject* arrays_[3] = {};  // indptr, indices, data
};

// A new scipy.sparse.csr_matrix of what was collected, or nullptr with a Python error set. SciPy is imported here.
PyObject* make_csr(SparseResult& result, std::int64_t rows, std::int64_t width, int typenum);

}  // namespace sardonyx::python
