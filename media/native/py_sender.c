#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "py_sender.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "py_values.h"

static int call(sl_py_sender *sender, const struct msghdr *message)
{
    sl_address address = {.size = message->msg_namelen};
    uint16_t segment = 0;
    memcpy(&address.name, message->msg_name, message->msg_namelen);
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (control != NULL)
        memcpy(&segment, CMSG_DATA(control), sizeof segment);
    PyObject *pair = sl_py_address_pair(&address);
    PyObject *answer =
        pair ? PyObject_CallFunction(sender->function, "y#IO", message->msg_iov->iov_base,
                                     (Py_ssize_t)message->msg_iov->iov_len, segment, pair)
             : NULL;
    long error = answer ? PyLong_AsLong(answer) : -1;
    sender->has_failed = PyErr_Occurred() != NULL;
    Py_XDECREF(answer);
    Py_XDECREF(pair);
    return sender->has_failed ? EPERM : (int)error;
}

/* As sendmmsg: an error after a message that was taken is told at the next call. The function is
 * not asked again for it. */
int sl_py_sender_send(void *context, int fd, struct mmsghdr *messages, unsigned count)
{
    sl_py_sender *sender = context;
    (void)fd;
    for (unsigned at = 0; at < count; at++) {
        int error = sender->late_error;
        sender->late_error = 0;
        if (error == 0)
            error = sender->has_failed ? EPERM : call(sender, &messages[at].msg_hdr);
        if (error == 0)
            continue;
        if (at > 0) {
            sender->late_error = error;
            return (int)at;
        }
        errno = error;
        return -1;
    }
    return (int)count;
}
