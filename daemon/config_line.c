/* SPDX-License-Identifier: Apache-2.0 */
/* Which line of the file a value stands in.  libcyaml hands out values without
 * their positions, so the text is parsed once more, by libyaml, when there is
 * something to complain about. */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config_file.h"

static bool
load(yaml_document_t *document, const struct config_reading *reading)
{
    yaml_parser_t parser;
    bool ok;

    if (!yaml_parser_initialize(&parser))
        return false;
    yaml_parser_set_input_string(&parser, (const unsigned char *)reading->text,
                                 reading->text_len);
    ok = yaml_parser_load(&parser, document) != 0;
    yaml_parser_delete(&parser);
    return ok;
}

static bool
is_text(const yaml_node_t *node, const char *text, size_t len)
{
    return node != NULL && node->type == YAML_SCALAR_NODE &&
           node->data.scalar.length == len &&
           memcmp(node->data.scalar.value, text, len) == 0;
}

static unsigned
line_of(const yaml_node_t *node)
{
    return (unsigned)node->start_mark.line + 1;
}

/** The value under a key; *line becomes the key's line. */
static yaml_node_t *
member(yaml_document_t *document, yaml_node_t *node, const char *key,
       size_t len, unsigned *line)
{
    yaml_node_pair_t *pair;

    if (node->type != YAML_MAPPING_NODE)
        return NULL;
    for (pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *found = yaml_document_get_node(document, pair->key);

        if (!is_text(found, key, len))
            continue;
        *line = line_of(found);
        return yaml_document_get_node(document, pair->value);
    }
    return NULL;
}

static yaml_node_t *
element(yaml_document_t *document, yaml_node_t *node, size_t index,
        unsigned *line)
{
    yaml_node_t *found;

    if (node->type != YAML_SEQUENCE_NODE ||
        index >= (size_t)(node->data.sequence.items.top -
                          node->data.sequence.items.start))
        return NULL;
    found = yaml_document_get_node(document,
                                   node->data.sequence.items.start[index]);
    if (found != NULL)
        *line = line_of(found);
    return found;
}

/** Follow "networks[0].rpc[1]" as far as the document goes. */
static unsigned
walk(yaml_document_t *document, const char *place)
{
    yaml_node_t *node = yaml_document_get_root_node(document);
    unsigned line = node != NULL ? line_of(node) : 1;

    while (node != NULL && *place != '\0') {
        if (*place == '[') {
            char *end;

            node = element(document, node, strtoul(place + 1, &end, 10), &line);
            place = *end == ']' ? end + 1 : end;
        } else {
            size_t len;

            place += *place == '.';
            len = strcspn(place, ".[");
            node = member(document, node, place, len, &line);
            place += len;
        }
    }
    return line;
}

unsigned
config_line_of(struct config_reading *reading, const char *place)
{
    yaml_document_t document;
    unsigned line;

    if (!load(&document, reading))
        return 1;
    line = walk(&document, place);
    yaml_document_delete(&document);
    return line;
}

/** Only scalars: a key and a value of the same text cannot be told apart here,
 * but a value with the name of an unknown key is rare enough. */
static unsigned
scan(yaml_document_t *document, const char *key, unsigned from)
{
    yaml_node_t *node;

    for (int i = 1; (node = yaml_document_get_node(document, i)) != NULL; i++) {
        if (line_of(node) >= from && is_text(node, key, strlen(key)))
            return line_of(node);
    }
    return from;
}

unsigned
config_line_of_key(struct config_reading *reading, const char *key,
                   unsigned from)
{
    yaml_document_t document;
    unsigned line;

    if (!load(&document, reading))
        return from;
    line = scan(&document, key, from);
    yaml_document_delete(&document);
    return line;
}

unsigned
config_line_of_second(struct config_reading *reading)
{
    yaml_parser_t parser;
    yaml_document_t document;
    unsigned line = 0;

    if (!yaml_parser_initialize(&parser))
        return 0;
    yaml_parser_set_input_string(&parser, (const unsigned char *)reading->text,
                                 reading->text_len);
    for (int i = 0; i < 2 && yaml_parser_load(&parser, &document) != 0; i++) {
        if (i == 1 && yaml_document_get_root_node(&document) != NULL)
            line = (unsigned)document.start_mark.line + 1;
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return line;
}
