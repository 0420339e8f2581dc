#include "cli/kafka/group_members.h"

#include <assert.h>

#include "cli/show/json_text.h"

static void add_members(json_t *members, const struct rd_kafka_group_info *info)
{
    for (int i = 0; i < info->member_cnt; i++) {
        const struct rd_kafka_group_member_info *one = &info->members[i];
        json_t *member = json_object();
        json_set_text(member, "member", text_of(one->member_id));
        json_set_text(member, "client", text_of(one->client_id));
        json_set_text(member, "host", text_of(one->client_host));
        (void)json_array_append_new(members, member);
    }
}

bool group_members_read(struct cli_kafka *client, int64_t timeout_ms, const char *group,
                        json_t **members, struct error *error)
{
    const struct rd_kafka_group_list *list = NULL;
    *members = NULL;
    rd_kafka_resp_err_t failure =
        rd_kafka_list_groups(cli_kafka_handle(client), group, &list, (int)timeout_ms);
    bool read = failure == RD_KAFKA_RESP_ERR_NO_ERROR || failure == RD_KAFKA_RESP_ERR__PARTIAL;
    if (!read)
        (void)error_set(error, ERROR_RETRY, "Kafka does not tell who is in group %.100s: %s", group,
                        rd_kafka_err2str(failure));
    if (read) *members = json_array();
    for (int i = 0; read && i < list->group_cnt; i++) {
        const struct rd_kafka_group_info *info = &list->groups[i];
        if (info->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            read = error_set(error, ERROR_FATAL, "group %.100s: %s", group,
                             rd_kafka_err2str(info->err));
        else
            add_members(*members, info);
    }
    if (list != NULL) rd_kafka_group_list_destroy(list);
    if (!read) json_decref(*members);
    if (!read) *members = NULL;
    assert(read || error->kind != ERROR_NONE);
    return read;
}
