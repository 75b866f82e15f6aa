#include "python/errors.h"

#include <exception>
#include <new>

#include "python/ref.h"
#include "runtime/error.h"

namespace sardonyx::python {

bool import_errors() {
  const Ref errors(PyImport_ImportModule("sardonyx.errors"));
  if (!errors) return false;
  program_error = PyObject_GetAttrString(errors.get(), "ProgramError");
  input_error = PyObject_GetAttrString(errors.get(), "InputError");
  return program_error != nullptr && input_error != nullptr;
}

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

}  // namespace sardonyx::python
