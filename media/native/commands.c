#include "commands.h"

#include <stdlib.h>

sl_command *sl_command_new(sl_command_kind kind, sl_peer *peer, sl_stream *stream)
{
    sl_command *command = calloc(1, sizeof *command);
    if (command == NULL)
        return NULL;
    command->kind = kind;
    command->peer = peer ? sl_peer_retain(peer) : NULL;
    command->stream = stream ? sl_stream_retain(stream) : NULL;
    return command;
}

void sl_command_free(sl_command *command)
{
    if (command == NULL)
        return;
    sl_peer_release(command->peer);
    sl_stream_release(command->stream);
    if (command->viewer) {
        sl_srtp_release(command->viewer->srtp);
        if (command->viewer->sent)
            sl_sent_release(command->viewer->sent);
        free(command->viewer);
    }
    free(command->sequences);
    free(command);
}

bool sl_commands_init(sl_commands *commands)
{
    *commands = (sl_commands){0};
    return pthread_mutex_init(&commands->lock, NULL) == 0;
}

void sl_commands_free(sl_commands *commands)
{
    for (sl_command *command = commands->first; command != NULL;) {
        sl_command *next = command->next;
        sl_command_free(command);
        command = next;
    }
    pthread_mutex_destroy(&commands->lock);
}

sl_commands_result sl_commands_push(sl_commands *commands, sl_command *command)
{
    sl_commands_result result = SL_COMMANDS_FULL;
    pthread_mutex_lock(&commands->lock);
    if (commands->count < SL_MAX_COMMANDS) {
        result = commands->first == NULL ? SL_COMMANDS_WAKE : SL_COMMANDS_TAKEN;
        if (commands->first == NULL)
            commands->first = command;
        else
            commands->last->next = command;
        commands->last = command;
        commands->count++;
    }
    pthread_mutex_unlock(&commands->lock);
    return result;
}

sl_command *sl_commands_take(sl_commands *commands)
{
    pthread_mutex_lock(&commands->lock);
    sl_command *first = commands->first;
    commands->first = commands->last = NULL;
    commands->count = 0;
    pthread_mutex_unlock(&commands->lock);
    return first;
}
