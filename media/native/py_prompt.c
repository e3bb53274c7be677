/* What media.prompt asks of the scheduler for the thread that calls. */
#include "module.h"
#include "prompt.h"

static PyObject *be_prompt(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    return PyLong_FromLong(sl_be_prompt(SL_PROMPT_FOR_EVENTS));
}

static PyObject *be_ordinary(PyObject *Py_UNUSED(module), PyObject *arg)
{
    long nice = PyLong_AsLong(arg);
    if (nice == -1 && PyErr_Occurred())
        return NULL;
    if (nice < -20 || nice > 19)
        return PyErr_Format(PyExc_ValueError, "a nice of %ld", nice);
    sl_be_ordinary((int)nice);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"be_prompt", be_prompt, METH_NOARGS, "Asks for an event loop's place; the former nice."},
    {"be_ordinary", be_ordinary, METH_O, "An ordinary thread again, of this nice."},
    {NULL},
};

int sl_add_prompt(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
