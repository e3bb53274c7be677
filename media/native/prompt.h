/* A thread that waits for packets most of the time, and should run as soon as they come. */
#ifndef SL_PROMPT_H
#define SL_PROMPT_H

/* Asks that the calling thread runs soon and not for long at a time: for short slices, which
 * sched(7) has since Linux 6.12, and, where the process may (CAP_SYS_NICE), for more of a busy
 * machine than others have. Where that is not granted everything works, only later. */
void sl_be_prompt(void);

#endif
