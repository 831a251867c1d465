#!/usr/bin/python3
"""Writes chat_templates.json: chat templates, conversations, and what Jinja makes of them.

The settings are those that Hugging Face's library gives to Jinja: an immutable sandbox, trim_blocks, lstrip_blocks,
loop controls, a `tojson` without HTML escapes, raise_exception, strftime_now, and a block {% generation %}. The templates
are written here in the manner of published models. Needs Debian's python3-jinja2; the tests do not.
"""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

NOW = datetime.datetime(2024, 7, 26, 14, 5, 9)
# Private characters around what {% generation %} encloses; taken out again when the text is done.
BEGIN, END = "\ue000", "\ue001"


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_surround"), [], [], body).set_lineno(line)

    def _surround(self, caller):
        return BEGIN + caller() + END


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


ENVIRONMENT = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
ENVIRONMENT.filters["tojson"] = tojson
ENVIRONMENT.globals["raise_exception"] = raise_exception
ENVIRONMENT.globals["strftime_now"] = NOW.strftime


def without_marks(text):
    """The text, and [begin, end) in bytes of what was generated."""
    plain, ranges, begin = "", [], 0
    for character in text:
        if character == BEGIN:
            begin = len(plain.encode())
        elif character == END:
            end = len(plain.encode())
            if ranges and ranges[-1][1] == begin:
                ranges[-1][1] = end
            else:
                ranges.append([begin, end])
        else:
            plain += character
    return plain, ranges


def render(case):
    variables = {"messages": case["messages"], "tools": case.get("tools"), "documents": None,
                 "add_generation_prompt": case.get("add_generation_prompt", False)}
    variables.update({k: case[k] for k in ("bos_token", "eos_token", "pad_token", "unk_token") if k in case})
    variables.update(case.get("further", {}))
    try:
        text, ranges = without_marks(ENVIRONMENT.from_string(case["template"]).render(**variables))
    except Exception as error:  # whatever is wrong: the tests want an error too
        return {"error": type(error).__name__}
    return {"text": text, **({"generation": ranges} if ranges else {})}


# --- conversations ---

USER = {"role": "user", "content": "Hello, wörld! <|im_end|>"}
CHAT = [USER, {"role": "assistant", "content": "  Hi there.\n"}, {"role": "user", "content": "Bye 😀"}]
SYSTEM_CHAT = [{"role": "system", "content": "Be brief."}] + CHAT
DONE = SYSTEM_CHAT + [{"role": "assistant", "content": "Goodbye & good night <3"}]
TWO_USERS = [USER, {"role": "user", "content": "again"}]
PARTS = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is this?"}]}]
THOUGHTS = [USER, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes."}, {"role": "user", "content": "ok"}]
TOOL_CHAT = [
    {"role": "user", "content": "Weather in Paris?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "abc123def", "type": "function",
         "function": {"name": "weather", "arguments": {"city": "Paris", "days": 2, "exact": True, "at": None, "x": 0.5}}}]},
    {"role": "tool", "name": "weather", "tool_call_id": "abc123def", "content": "{\"temp\": 21.5}"},
    {"role": "assistant", "content": "21.5 °C"},
]
TOOLS = [
    {"type": "function", "function": {
        "name": "weather", "description": "The weather \"now\" in a city, <b>é</b>.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "Name\nof it"},
            "days": {"type": "integer", "enum": [1, 2, 3]},
            "exact": {"type": ["boolean", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "stop", "description": "Ends.", "parameters": {"type": "object", "properties": {}}}},
]

# --- whole templates, in the manner of published ones ---

CHATML = """{% for message in messages %}
{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}
{% endfor %}
{% if add_generation_prompt %}
{{ '<|im_start|>assistant\n' }}
{% endif %}
"""
CHATML_GENERATION = """{%- for message in messages -%}
    {{- '<|im_start|>' ~ message.role ~ '\n' -}}
    {%- if message.role == 'assistant' -%}
        {%- generation -%}{{- message.content | trim + '<|im_end|>' -}}{%- endgeneration -%}
    {%- else -%}
        {{- message.content + '<|im_end|>' -}}
    {%- endif -%}
    {{- '\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}
"""
QWEN = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\nSignatures are within <tools></tools>:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\n{\\"name\\": <function-name>}\\n<|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""
LLAMA3 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}

{#- The system message comes first, if there is one. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- if tools_in_user_message and not tools is none %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content']|trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("Cannot put tools in the first user message when there's no first user message!") }}
    {%- endif %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' -}}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot_id|>"}}
{%- endif %}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or (message.content is iterable and message.content is not string) %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""
GEMMA = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}"""
GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\n'}}
{%- endif -%}
"""
PHI3 = """{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' + message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""
ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""
# A schema written as a type of a programming language, by macros that call each other.
SCHEMA = """{%- macro type_of(schema, depth=0) -%}
    {%- if schema.type is string and schema.type == 'array' -%}
        {{- type_of(schema['items'], depth + 1) }}[]
    {%- elif schema.type == 'object' -%}
        {
        {%- for name, property in schema.properties.items() %}
            {{- '\\n' ~ '  ' * (depth + 1) }}// {{ property.description | default('none') | replace('\\n', ' ') }}
            {{- '\\n' ~ '  ' * (depth + 1) ~ name ~ ('?' if name not in (schema.required or [])) ~ ': ' ~ type_of(property, depth + 1) ~ ',' }}
        {%- endfor %}
        {{- '\\n' if schema.properties }}{{ '  ' * depth }}}
    {%- elif schema.enum -%}
        {{- schema.enum | map('string') | join(' | ') }}
    {%- elif schema.type is sequence and schema.type is not string -%}
        {%- for one in schema.type -%}{{ one }}{{ ' | ' if not loop.last }}{%- endfor -%}
    {%- else -%}
        {{- schema.type -}}
    {%- endif -%}
{%- endmacro -%}
{%- for tool in tools %}
type {{ tool.function.name }} = (_: {{ type_of(tool.function.parameters) }}) => any;
{% endfor -%}
{%- for message in messages %}[{{ message.role | upper }}] {{ message.content or message.tool_calls | tojson }}
{% endfor %}"""
# Calls rendered key by key, as XML.
XML_TOOLS = """{%- for message in messages %}
    {%- for call in message.tool_calls or [] %}
<invoke name="{{ call.function.name }}">
        {%- for key, value in call.function.arguments | items %}

<parameter name="{{ key }}">{{ value if value is string else value | tojson }}</parameter>
        {%- endfor %}

</invoke>
    {% endfor %}
{% endfor %}"""

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
CASES = []


def add(name, template, messages=None, **options):
    case = {"name": name, "template": template, "messages": CHAT if messages is None else messages, **options}
    CASES.append({**case, "expected": render(case)})


WHOLE = {"chatml": CHATML, "chatml_generation": CHATML_GENERATION, "qwen": QWEN, "llama2": LLAMA2, "llama3": LLAMA3,
         "mistral": MISTRAL, "gemma": GEMMA, "gemma3": GEMMA3, "phi3": PHI3, "zephyr": ZEPHYR}
for name, template in WHOLE.items():
    for label, messages in {"chat": CHAT, "system": SYSTEM_CHAT, "done": DONE, "two_users": TWO_USERS,
                            "thoughts": THOUGHTS}.items():
        add(f"{name}_{label}", template, messages, add_generation_prompt=label != "done", **TOKENS)
for name in ("qwen", "llama3", "mistral"):
    add(f"{name}_tools", WHOLE[name], TOOL_CHAT, tools=TOOLS, add_generation_prompt=True, **TOKENS)
    add(f"{name}_tool_prompt", WHOLE[name], TOOL_CHAT[:1], tools=TOOLS, add_generation_prompt=True, **TOKENS)
add("qwen_no_thinking", QWEN, CHAT, add_generation_prompt=True, further={"enable_thinking": False})
add("llama3_date", LLAMA3, CHAT, further={"date_string": "1 Jan 2020"}, **TOKENS)
add("llama3_without_bos", LLAMA3, CHAT)
add("mistral_bad_role", MISTRAL, [{"role": "poet", "content": "x"}], **TOKENS)
add("gemma3_parts", GEMMA3, PARTS, add_generation_prompt=True, **TOKENS)
add("schema_macros", SCHEMA, TOOL_CHAT, tools=TOOLS)
add("xml_tools", XML_TOOLS, TOOL_CHAT)
add("chatml_empty", CHATML, [], add_generation_prompt=True)

# --- one construct each: an expression, or a whole template ---

DATA = {"n": 7, "f": 2.5, "s": "Ab cd", "u": "Größe ß ǆ İ ΑΣ", "none": None, "yes": True, "l": [3, 1, 2], "empty": [],
        "d": {"b": 1, "a": {"c": [1, 2, {"z": None}]}, "items": "key"}, "e": {}, "quote": "it's \"x\"\n\t\\ \u0001 \u00ad é",
        "people": [{"name": "bo", "age": 3, "ok": True}, {"name": "Al", "age": 5}, {"name": "cy", "age": 3, "ok": False}],
        "lines": "a\n\n b\r\nc", "padded": " \t\n x y \u3000", "tree": [{"v": 1, "sub": [{"v": 2, "sub": [{"v": 3}]}, {"v": 4}]}, {"v": 5}]}

EXPRESSIONS = """
1 + 2 * 3 - 4 / 2
7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 % -3, 2 ** 3 ** 2, 2 ** -1
7.5 // 2, -7.5 % 2, 1e3, 1.5e-7, 1e16, 123456789012345680.0, 0.1 + 0.2, 1_000
-n, +n, -f, - n | abs
n / 2, 6 / 3, true + 1, f * 2
1 < 2 < 3, 1 < 3 < 2, 1 == 1.0, 'a' < 'b', [1, 2] < [1, 3], 1 != 2, 2 >= 2, 2 <= 1
s == 'Ab cd', s != 'x', none == none, nope == nope2, [1] == [1], (1,) == [1], {'a': 1} == {'a': 1.0}
'b' in s, 'x' not in s, 1 in l, 9 not in l, 'b' in d, 'x' in nope
not true, not n, not empty and n, n and s, empty or 'else', none or none
'a' if n else 'b', 'a' if empty else 'b', 'a' if empty, 'x' if n > 9 else 'y' if n > 5 else 'z'
'a' ~ 1 ~ none ~ true ~ 2.0 ~ nope ~ [1, 'b'], 'a' + 'b', 'ab' * 3, [1] * 2, [1] + [2], (1,) + (2,)
1 + n ~ 'x' ~ 2 * 3
s[0], s[-1], s[9], s[1:], s[:-1], s[::-1], s[::2], s[-3:-1], s[10:], s[4:1:-1], u[1:5], u[::-1]
l[0], l[-1], l[5], l[1:], l[::-1], l[:2], l[5:], l[::-2], l[-100:100], l[0:3:100000]
d.b, d['b'], d.a.c[2].z, d.x, d['x'], d['items'], d.get('b'), d.get('x'), d.get('x', 5), d.a['c'].0
d.items() | list, d.keys() | list, d.values() | list, d | list, d | length
'ΟΔΟΣ ΟΔΟΣ' | title, 'ΟΔΟΣ'.lower(), 'ΟΔΟΣ'.title(), 'ΟΔΟΣ'.capitalize(), 'ǆa ﬁx'.title(), 'ﬁx' | title
s.upper(), s.lower(), s.title(), s.capitalize(), u.upper(), u.lower(), u.title(), u.capitalize(), u | title, 'a-b (c' | title, "it's".title()
padded.strip() ~ '|', padded.lstrip() ~ '|', padded.rstrip() ~ '|', 'xxaxbx'.strip('x'), 'abc'.rstrip('cb'), 'éaé'.lstrip('é')
s.split(), 'a,b,,c'.split(','), 'a,b,c'.split(',', 1), 'a,b,c'.rsplit(',', 1), ' a  b '.split(), ' a  b c '.split(none, 1), ''.split(), ''.split(',')
s.startswith('Ab'), s.endswith('cd'), s.startswith(('x', 'A')), s.endswith(''), s.find('c'), s.find('x'), u.find('ß'), s.rfind('b'), s.count('b')
s.replace('b', 'XX'), 'aaa'.replace('a', 'b', 2), 'ab'.replace('', '-'), ', '.join(['a', 'b']), ''.join([])
'a=b=c'.partition('='), 'a=b=c'.rpartition('='), 'abc'.partition('='), 'abc'.removeprefix('a'), 'abc'.removesuffix('bc'), lines.splitlines(), lines.splitlines(true)
'12'.isdigit(), 'a'.isalpha(), ' '.isspace(), ''.isdigit(), 'a1'.isalnum(), 'A'.isdigit()
s | upper | lower, s | length, l | count, d | length, empty | length, u | length, nope | length
nope | default('x'), none | default('x'), none | default('x', true), '' | d('y', boolean=true), n | default(1), nope | d
d | dictsort, {'B': 1, 'a': 2} | dictsort, {'B': 1, 'a': 2} | dictsort(true), {'x': 2, 'y': 1} | dictsort(by='value'), {'x': 2, 'y': 1} | dictsort(reverse=true)
('<a href="x">&\\'' | e) ~ '', ('<' | escape) ~ '', '<' | safe ~ '', (none | e) ~ ''
10 - 2 - 3, 2 * 3 ~ 4 * 5, 24 / 4 / 2, 'a' ~ n ~ 2 * 3, 1 - -1, (2 + 3) * 4, (7 - 2) ~ '' == '5'
l | first, l | last, s | first, s | last, empty | first, [] | last, d | first
lines | indent, lines | indent(2, true), lines | indent(2, blank=true), lines | indent('> '), 'x' | indent(2, first=true), '' | indent
'42' | int, '3.9' | int, 'x' | int, 'x' | int(7), 3.9 | int, -3.9 | int, none | int, true | int, ' 5 ' | int, 'ff' | int(0, 16), '-3' | int
'4' | float, 'x' | float, 'x' | float(1.5), 3 | float, '1e3' | float, ' 2.5 ' | float
l | join, l | join('-'), ['a', 1, none, true] | join(', '), people | join(', ', attribute='name'), 'abc' | join('.'), nope | join
d | items | list, {} | items | list, nope | items | list
people | map(attribute='name') | list, people | map(attribute='ok', default='?') | list, ['a', 'b'] | map('upper') | join, l | map('string') | list, [['a', 1]] | map(attribute=0) | list, people | map(attribute='x.y', default=1) | first | default('none')
['x', 'yz'] | map('replace', 'y', 'Y') | list, ['x', 'yz'] | map('length') | list
l | select('odd') | list, l | reject('odd') | list, [0, 1, '', 'a', none] | select | list, l | select('>', 1) | list, l | reject('in', [1, 2]) | list, [1, 'a', none] | select('string') | list
people | selectattr('ok') | map(attribute='name') | list, people | rejectattr('ok') | map(attribute='name') | list, people | selectattr('age', 'equalto', 3) | map(attribute='name') | list, people | selectattr('ok', 'defined') | list | length, people | rejectattr('ok', 'undefined') | list | length
(people | selectattr('age', 'gt', 100)) is defined, 'yes' if people | selectattr('age', 'gt', 100) else 'no', 'yes' if people | selectattr('age', 'gt', 100) | list else 'no'
s | replace('b', 'B'), 'aaa' | replace('a', 'b', 1), 5 | replace('5', '6')
n | string, none | string, l | string, true | string, nope | string, 1.0 | string, d | string
d | tojson, l | tojson, s | tojson, none | tojson, true | tojson, 1.0 | tojson, 1e20 | tojson, quote | tojson, u | tojson(ensure_ascii=true), '😀' | tojson(true), {} | tojson, [] | tojson(indent=2)
d | tojson(indent=2), d | tojson(none, 4)
d | tojson(indent=0), d | tojson(separators=(',', ':')), {'b': 1, 'a': 2} | tojson(sort_keys=true), {1: 2, none: 3, true: 4, 1.5: 5} | tojson, (1, 2) | tojson
padded | trim ~ '|', '--x--' | trim('-'), none | trim, nope | trim, 5 | trim
[1, 2, 1, 'a', 'A', 'a'] | unique | list, ['a', 'A'] | unique(true) | list, people | unique(attribute='age') | map(attribute='name') | list
2.5 | round, 3.5 | round, 2.675 | round(2), 2.1 | round(method='ceil'), 2.9 | round(0, 'floor'), 7 | round, 1234.5 | round(-2), 2.15 | round(1, 'ceil')
-3 | abs, -2.5 | abs, l | sum, [0.5, 1] | sum, people | sum(attribute='age'), l | sum(start=10), [] | sum, l | min, l | max, ['b', 'A'] | min, ['b', 'A'] | max(true), people | max(attribute='age'), [] | max
l | sort, l | sort(true), ['b', 'A', 'a'] | sort, ['b', 'A', 'a'] | sort(case_sensitive=true), people | sort(attribute='age') | map(attribute='name') | list, people | sort(attribute='age', reverse=true) | map(attribute='name') | list
l | reverse | list, s | reverse, '' | reverse, [] | reverse | list
s | capitalize, 'éCOLE' | capitalize, s | list, (1, 2) | list
n is defined, nope is defined, nope is undefined, none is none, n is none, n is not none, not n is none, d.x is defined, d.b is defined
s is string, n is string, n is number, f is number, true is number, d is mapping, l is mapping, l is sequence, s is sequence, d is sequence, n is sequence, nope is sequence, (1,) is sequence, d.items() is sequence
l is iterable, s is iterable, n is iterable, d is iterable, none is iterable, nope is iterable
true is boolean, 1 is boolean, true is true, 1 is true, false is false, 0 is false, n is integer, true is integer, f is float, n is float
n is equalto 7, n is eq(7), n is ne 7, n is lt 8, n is gt(8), n is le 7, n is ge 8, n is in [7], 8 is in(l), n is odd, n is even, n is divisibleby 7, n == 7 is true
'a' is lower, 'A' is upper, 'aB' is lower, '1' is upper
l, (1,), (1, 2), (), [], {}, d, s, none, true, 1.0, quote, [quote], ['a"b', "a'b", 'é', '\\n'], {'k': none, 1: 2}
range(3) | list, range(1, 4) | list, range(5, 0, -2) | list, range(0) | list, range(3) | sum
dict(a=1, b='x'), namespace(a=1).a, namespace(a=1).b is defined, dict([('k', 1)])
strftime_now('%d %b %Y'), strftime_now('%Y-%m-%d %H:%M:%S %A %j'), strftime_now('%B %-d')
"a" "b" 'c', 'tab\\there', "q\\"q", 'q\\'q', 'u\\u00e9 \\x41 \\101 \\q', 'a\\\\n'
messages[0]['content'] | length, messages | length, messages[-1].content[-2:], (messages | first).role, messages[1:][0].content.strip()
tools is none, tools is defined, documents is none, bos_token is defined, add_generation_prompt
true and false or true, not true or true, 1 == 1 and 2 == 2, not 1 == 2, 1 if true and false else 2, (1 if none else 2) + 1
n|string + 'x', 'a' + n|string ~ 'b', -n|string, (n + 1)|string, n in [7] and s in 'xAb cdx'
"x".upper().lower() + 'y'.join(['1', '2']) | upper, {'a': {'b': [10, 20]}}.a.b[1], [1, 2, 3][1], (1, 2)[0], 'abc'[1], {'x y': 1}['x y']
True, False, None, true, false, none
"""
for number, line in enumerate(EXPRESSIONS.strip().split("\n")):
    # One print per expression of the line would lose tuples, so the line is a list.
    add(f"expression_{number:02}", "{{ [" + line + "] }}", further=DATA)
    add(f"expression_{number:02}_each", "{% for x in [" + line + "] %}{{ x }}|{% endfor %}", further=DATA)

BLOCKS = {
    "if_chain": "{% for i in range(4) %}{% if i == 0 %}zero{% elif i == 1 %}one{% elif i == 2 %}two{% else %}many{% endif %} {% endfor %}",
    "for_else": "{% for x in empty %}{{ x }}{% else %}none{% endfor %}{% for x in l %}{{ x }}{% else %}none{% endfor %}",
    "for_filter": "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }}{{ ',' if not loop.last }}{% else %}none{% endfor %}",
    "for_filter_none": "{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "for_lazy_filter": "{% set ns = namespace(stop=false) %}{% for x in l if not ns.stop %}{{ x }}{% set ns.stop = true %}{% endfor %}",
    "for_lazy_filter_last": "{% set ns = namespace(stop=false) %}{% for x in l if not ns.stop %}{{ x }}{{ loop.last }}{% set ns.stop = true %}{% endfor %}",
    "loop_variables": "{% for x in l %}{{ [loop.index, loop.index0, loop.revindex, loop.revindex0, loop.first, loop.last, loop.length, loop.previtem, loop.nextitem, loop.depth, loop.depth0] }}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}\n{% endfor %}",
    "unpacking": "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% set x, y = 1, 'z' %}{{ x }}{{ y }}",
    "unpacking_wrong": "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "recursive": "{% for t in tree recursive %}{{ loop.depth }}:{{ t.v }}{% if t.sub %}({{ loop(t.sub) }}){% endif %}{{ ' ' if not loop.last }}{% endfor %}",
    "not_recursive": "{% for t in tree %}{{ loop(t.sub) }}{% endfor %}",
    "nested_loops": "{% for a in l %}{% for b in l %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "break_continue": "{% for x in range(9) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "continue_runs_else": "{% for x in l %}{% continue %}{% else %}else{% endfor %}{% for x in l %}{% break %}{% else %}else{% endfor %}",
    "break_in_inner": "{% for a in l %}{% for b in l %}{% if b == 1 %}{% break %}{% endif %}{{ b }}{% endfor %}{{ a }}{% endfor %}",
    "scope_of_for": "{% set x = 0 %}{% for i in l %}{{ x }}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "scope_of_if": "{% if true %}{% set x = 5 %}{% endif %}{{ x }}",
    "namespace": "{% set ns = namespace(n=0, seen=[]) %}{% for i in l %}{% set ns.n = ns.n + i %}{% set ns.seen = ns.seen + [i] %}{% endfor %}{{ ns.n }}{{ ns.seen }}{{ ns['n'] }}{{ ns.none is defined }}",
    "not_a_namespace": "{% set d2 = {} %}{% set d2.x = 1 %}",
    "set_block": "{% set x %}a{{ n }}b{% endset %}[{{ x }}]{% set y | upper | trim %} a{{ s }} {% endset %}[{{ y }}]",
    "filter_block": "{% filter upper | replace('A', '4') %}abc {{ s }}{% endfilter %}",
    "with_block": "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}",
    "macro": "{% macro m(a, b='x', c=none) %}<{{ a }},{{ b }},{{ c }}>{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(1, c=3) }}{{ m(b=1, a=2) }}{{ m() }}",
    "macro_too_many": "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "macro_unknown_argument": "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}",
    "macro_varargs": "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, k='v') }}{{ m(1) }}",
    "macro_sees_globals": "{% set g = 1 %}{% macro m() %}{{ g }}{{ n }}{% endmacro %}{{ m() }}{% set g = 2 %}{{ m() }}",
    "macro_scope": "{% macro m() %}{% set inside = 1 %}{{ inside }}{% endmacro %}{{ m() }}{{ inside is defined }}",
    "macro_recursive": "{% macro m(k) %}{{ k }}{% if k > 0 %}{{ m(k - 1) }}{% endif %}{% endmacro %}{{ m(5) }}",
    "macro_as_value": "{% macro m(x) -%} {{ x | upper }} {%- endmacro %}{% set t = m('ab') + '!' %}{{ t }}{{ m('x') | lower | length }}",
    "call_block": "{% macro m(t) %}[{{ t }}:{{ caller() }}]{% endmacro %}{% call m('a') %}body {{ n }}{% endcall %}",
    "call_with_arguments": "{% macro m(xs) %}{% for x in xs %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(v, i) m(l) %}{{ i }}={{ v }};{% endcall %}",
    "comment": "a{# b #}c{#- d -#} e {# {{ x }} {% if %} #}\n  {# line #}\nf",
    "raw": "{% raw %}{{ x }} {% if %}{% endraw %}\n{%- raw -%}  {{ y }}  {%- endraw -%}  z\n  {% raw %}\n  a\n  {% endraw %}\nb",
    "trim_blocks": "{% if true %}\na\n{% endif %}\n\nb\n{% if true %}  \nc{% endif %}\n",
    "trim_not_after_print": "{{ 1 }}\n{{ 2 }}\n\n{{ 3 }}\n",
    "lstrip_blocks": "  {% if true %}\n    a\n  {% endif %}\nx  {% if true %}y{% endif %}\n\t {# c #}\n  {{ 1 }}",
    "plus_signs": "  {%+ if true %}a{%+ endif %}\nb\n  {% if true +%}\nc{% endif +%}\nd",
    "minus_signs": "a \n {%- if true -%} \n b \n {%- endif -%} \n c {{- 1 -}} \n d {{ 2 }} e {#- x -#} f",
    "unicode_whitespace": "a\u3000\u00a0{%- if true -%}\u2003b{%- endif %}\u3000\nc",
    "carriage_returns": "a\r\n{% if true %}\r\nb\r{% endif %}\r\nc\r\n",
    "braces_in_print": "{{ {'a': {'b': {}}} }}{{ '}}' }}{{ \"%}\" }}{% set x = {'k': '%}'} %}{{ x.k }}{ { x } }{",
    "trailing_newlines": "a\n\n\n",
    "only_newline": "\n",
    "empty": "",
    "printed_tuple": "{{ 1, 2 }}{{ (1) }}{{ 1, }}",
    "undefined_prints_nothing": "[{{ nope }}][{{ d.nope }}][{{ l[99] }}]{% for x in nope %}x{% endfor %}{% if nope %}y{% endif %}",
    "undefined_attribute": "{{ nope.x }}",
    "undefined_item": "{{ nope['x'] }}",
    "undefined_deep": "{{ d.x.y }}",
    "undefined_addition": "{{ nope + 1 }}",
    "undefined_call": "{{ nope() }}",
    "undefined_json": "{{ nope | tojson }}",
    "undefined_order": "{{ nope < 1 }}",
    "none_addition": "{{ none + 'a' }}",
    "none_attribute": "[{{ none.x }}]",
    "string_plus_number": "{{ 'a' + 1 }}",
    "in_number": "{{ 1 in 5 }}",
    "in_string_number": "{{ 1 in '15' }}",
    "loop_over_number": "{% for x in 5 %}{% endfor %}",
    "order_of_kinds": "{{ 'a' < 1 }}",
    "division_by_zero": "{{ 1 / 0 }}",
    "modulo_by_zero": "{{ 1 % 0 }}",
    "call_a_string": "{{ s() }}",
    "method_missing": "{{ s.nope() }}",
    "list_key": "{{ {[1]: 2} }}",
    "sort_mixed": "{{ [1, 'a'] | sort }}",
    "length_of_number": "{{ 5 | length }}",
    "length_of_generator": "{{ l | select | length }}",
    "generator_once": "{% set g = l | select('odd') %}{{ g | list }}{{ g | list }}",
    "join_numbers": "{{ ','.join([1, 2]) }}",
    "range_too_long": "{{ range(100001) }}",
    "range_step_zero": "{{ range(1, 2, 0) }}",
    "raise_exception": "a{% if n %}{{ raise_exception('No ' ~ s) }}{% endif %}",
    "unsafe_attribute": "{{ ''.__class__ }}|{{ d.update is defined }}|{{ d.pop is defined }}",
    "not_closed": "a{% if true %}b",
    "not_closed_tag": "a{{ 1",
    "not_closed_comment": "a{# b",
    "not_closed_raw": "{% raw %}a",
    "not_closed_string": "{{ 'a }}",
    "wrong_end": "{% if true %}{% endfor %}",
    "stray_end": "{% endif %}",
    "unknown_statement": "{% nope %}",
    "unknown_filter": "{{ 1 | nope }}",
    "unknown_test": "{{ 1 is nope }}",
    "missing_operand": "{{ 1 + }}",
    "missing_expression": "{{ }}",
    "two_values": "{{ 1 2 }}",
    "wrong_bracket": "{{ (1] }}",
    "break_outside": "{% break %}",
    "odd_character": "{{ 1 ? 2 }}",
    "generation": "{% for m in messages %}{{ m.role }}:{% generation %}{{ m.content | trim }}\n{% endgeneration %}|{% endfor %}",
    "generation_in_macro": "{% macro say(t) %}<{% generation %}{{ t }}{% endgeneration %}>{% endmacro %}{% for m in messages if m.role == 'assistant' %}{{ say(m.content) }}{% endfor %}",
    "generation_captured": "{% set x %}a{% generation %}é{{ n }}{% endgeneration %}b{% endset %}{{ x }}-{{ x }}",
    "generation_scope": "{% generation %}{% set inside = 1 %}{{ inside }}{% endgeneration %}{{ inside is defined }}",
    "append_by_sum": "{% set ns = namespace(out=[]) %}{% for m in messages %}{% set ns.out = ns.out + [m.role] %}{% endfor %}{{ ns.out | join(' ') }}",
    "loop_in_generation": "{% for x in l %}{% generation %}{{ loop.index }}{% endgeneration %}{% endfor %}",
    "loop_variable_after": "{% for x in l %}{% endfor %}{{ x is defined }}{{ loop is defined }}",
    "set_in_else_branch": "{% if not n %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}",
    "dict_methods_before_keys": "{{ d.items is mapping }}{{ d['items'] }}{{ d.get is callable }}",
    "string_over_lines": "{{ 'a\nb' }}{{ \"c\n\" }}",
    "nested_conditions": "{{ 'a' if (n if s else none) else 'b' }}{{ ('x' if n) ~ ('y' if not n) }}",
    "filter_on_call": "{{ s.split(' ') | join('+') }}{{ (s | upper).split() | first | lower }}",
    "test_in_filter": "{{ (l | select('even') | list | first) is even }}",
    "chained_tests": "{{ n is number is true }}",
    "many_newlines_inside": "{%\n if\n n\n ==\n 7\n %}yes{%\nendif\n%}",
    "json_of_messages": "{{ messages | tojson(indent=1) }}",
    "print_of_messages": "{{ messages }}",
}
for name, template in BLOCKS.items():
    add(f"block_{name}", template, further=DATA)

# What many cases share is written once, under a name.
SHARED = {"templates": WHOLE, "conversations": {
    "chat": CHAT, "system": SYSTEM_CHAT, "done": DONE, "two_users": TWO_USERS, "thoughts": THOUGHTS, "tools": TOOL_CHAT}}


def named(values, value):
    return next((name for name, known in values.items() if known is value), value)


def compact(case):
    return {**case, "template": named(SHARED["templates"], case["template"]),
            "messages": named(SHARED["conversations"], case["messages"]),
            **({"tools": "shared"} if case.get("tools") is TOOLS else {}),
            **({"further": "shared"} if case.get("further") is DATA else {})}


path = pathlib.Path(__file__).parent / "chat_templates.json"
content = {**SHARED, "tools": TOOLS, "further": DATA}
lines = [f'"{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in content.items()]
lines.append('"cases": [\n' + ",\n".join(json.dumps(compact(case), ensure_ascii=False) for case in CASES) + "\n]")
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(CASES), "cases,", sum("error" in case["expected"] for case in CASES), "of them errors")
