/* Threads that wait most of the time, and should run as soon as there is something to do.
 *
 * What they ask for: short slices, which sched(7) has since Linux 6.12, and, where the process may
 * (CAP_SYS_NICE), more of a busy machine than others have. Where that is not granted everything
 * works, only later. Threads and processes that they start are ordinary ones.
 */
#ifndef SL_PROMPT_H
#define SL_PROMPT_H

typedef enum {
    SL_PROMPT_FOR_PACKETS, /* a plane's thread */
    SL_PROMPT_FOR_EVENTS,  /* an event loop: it needs little, and goes before the packets */
} sl_promptness;

/* Asks that for the calling thread; its former nice. */
int sl_be_prompt(sl_promptness promptness);

/* The calling thread is an ordinary one again. */
void sl_be_ordinary(int nice);

/* To be called now and then by a thread that works for longer than a slice. */
void sl_give_way(void);

#endif
