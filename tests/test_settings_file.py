import pytest
from filter_strategies import criteria, kept, xml_text
from given import ADMINISTRATOR, KEY, START
from hypothesis import assume
from hypothesis import given as law
from hypothesis import strategies as st
from strategies import History, histories
from test_steps import FRESH, TASKS, after, brought, settled, shown

from app.settings_file import Misread, Reading, read
from app.settings_text import written
from domain.environment import Command
from domain.field_mappings import ChooseSyncDirection
from domain.filters.commands import (
    DeactivateFilter,
    DefineFilter,
    RedefineFilter,
    RemoveFilter,
    WithholdTemplateFromNewUsers,
)
from domain.filters.criteria import Condition, Criteria, Group
from domain.filters.lifecycle import stored
from domain.filters.state import FilterKind, FilterRole, canonical_text, checked_name, fits
from domain.mapping_table import SyncDirection
from domain.plan import Ask, Planned, plan
from domain.standing import Standing
from domain.steps import Steps, steps
from domain.switches import (
    ChooseMailingAddresses,
    MailingAddresses,
    SwitchAppointmentAttachments,
    SwitchAssignedTasks,
)
from domain.wanted import Wanted, WantedFilter
from domain.warning import WarningCode

ONLINE, OFFLINE = FilterKind
SYSTEM, TEMPLATE = FilterRole
ODD = ["\n", "\r", "\t", " ", "\x85", "\u2028", "\ufeff", "\x07", "\x1b", "\xa0", "\U0001f600"]
ODD += ["'", '"', "\\", "#", ": ", "- ", "%", "---", "...", "\ufffe", "\x7f", "a", "<<", "*a", "&a"]
descriptions = st.lists(st.sampled_from(ODD), max_size=9).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60
)
PLAIN = [
    "true",
    "null",
    "123",
    "~",
    "=",
    "- x",
    "# y",
    "a: b",
    "!x",
    "*x",
    "1e3",
    "2026-03-03",
    "|",
]


def may_be(name: str) -> bool:
    try:
        return checked_name(name) == name
    except ValueError:
        return False


names = st.sampled_from(PLAIN) | st.text(min_size=1, max_size=40).filter(may_be)
odd_criteria = st.builds(
    lambda values, attributes: Criteria(
        table="task",
        group=Group(
            conditions=(Condition(column="subject", operator="in", values=values, kept=attributes),)
        ),
    ),
    st.lists(xml_text, min_size=1, max_size=3).map(tuple),
    kept("condition"),
)


def with_all(*commands: Command) -> Standing:
    """A fresh environment in which this was asked."""
    ask = Ask(environment=KEY, commands=commands, actor=ADMINISTRATOR)
    planned = plan(FRESH, ask, START)
    assert isinstance(planned, Planned), planned
    return planned.standing


def misread(text: str) -> list[tuple[int, str]]:
    return [(line, message) for line, message in read(text).misread]


@law(histories)
def test_what_is_written_reads_as_what_is_held_and_is_nothing_to_do(history: History) -> None:
    for whole in (False, True):
        reading = read(written(history.standing, whole=whole))
        assert reading.misread == []
        environment = history.standing.environment
        assert steps(environment, reading.wanted) == Steps((), ())
        there = after(settled(FRESH), reading.wanted)
        assert shown(there) == shown(environment)


@law(histories, histories)
def test_to_apply_twice_is_to_apply_once(one: History, other: History) -> None:
    wanted = read(written(other.standing, whole=True)).wanted
    once = brought(one.standing, wanted)
    assume(isinstance(once, Planned))
    assert isinstance(once, Planned)
    assert steps(once.standing.environment, wanted) == Steps((), ())


@law(names, descriptions, criteria() | odd_criteria)
def test_whatever_a_filter_is_called_and_chooses_stands_in_a_file_as_it_is(
    name: str, description: str, chosen: Criteria
) -> None:
    standing = with_all(
        DefineFilter(
            key="k",
            role=SYSTEM,
            kind=ONLINE if fits(chosen.table, ONLINE) else OFFLINE,
            table=chosen.table,
            name=name,
            description=description,
            criteria=canonical_text(chosen),
        )
    )
    text = written(standing, whole=False)
    for broken in (text, text.replace("\n", "\r\n")):
        reading = read(broken)
        assert reading.misread == []
        assert steps(standing.environment, reading.wanted) == Steps((), ())
        there = after(settled(FRESH), reading.wanted).filters.by_key["k"]
        assert there == standing.environment.filters.by_key["k"]


@pytest.mark.parametrize(
    ("value", "shown_as"),
    [
        ("", "            <value></value>\n            <value>b</value>\n"),
        (" a ", "            <value> a </value>\n            <value>b</value>\n"),
        ("a\n\tb", r"<value>a\n\tb</value><value>b</value>"),
    ],
)
def test_a_tag_has_a_line_of_its_own_unless_that_would_change_a_value(
    value: str, shown_as: str
) -> None:
    condition = Condition(column="subject", operator="in", values=(value, "b"))
    chosen = Criteria(table="task", group=Group(conditions=(condition,)))
    text = written(
        with_all(
            DefineFilter(
                key="k",
                role=SYSTEM,
                kind=ONLINE,
                table="task",
                name="K",
                criteria=canonical_text(chosen),
            )
        ),
        whole=False,
    )
    assert shown_as in text
    found = read(text).wanted.filters["k"]
    assert found is not None
    assert stored(str(found.criteria), "task") == canonical_text(chosen)


def test_a_fresh_environment_has_nothing_to_write_but_its_head() -> None:
    text = written(settled(FRESH), whole=False)
    assert text == (
        "# What differs from the defaults: contoso-prod, at position 26.\n"
        "# `syncledger apply FILE --environment contoso-prod --preview` tells what would change; "
        "what is\n# not named here is not touched.\n{}\n"
    )
    assert read(text).wanted == Wanted()


def test_each_setting_is_written_with_what_it_means_in_the_order_of_the_tab() -> None:
    contacts = "template.online.contact.my-outlook-contacts"
    text = written(
        with_all(
            ChooseMailingAddresses(
                choice=MailingAddresses.ALL_THREE, acknowledged=frozenset(WarningCode)
            ),
            SwitchAppointmentAttachments(on=True),
            ChooseSyncDirection(mapping="contact.notes", direction=SyncDirection.NONE),
            WithholdTemplateFromNewUsers(key=TASKS),
            RemoveFilter(key=TASKS),
            DeactivateFilter(key=contacts),
            RedefineFilter(key=contacts, description="One,\ntwo"),
        ),
        whole=False,
    )
    assert text == (
        "# What differs from the defaults: contoso-prod, at position 33.\n"
        "# `syncledger apply FILE --environment contoso-prod --preview` tells what would change; "
        "what is\n# not named here is not touched.\n"
        """
# Template “My Outlook Contacts”: Contacts that I own and that are active.
filter:template.online.contact.my-outlook-contacts:
  role: USER_FILTER_TEMPLATE
  kind: ONLINE
  table: contact
  name: My Outlook Contacts
  description: "One,\\ntwo"
  active: false
  fetchXml: |
    <fetch>
      <entity name="contact">
        <attribute name="contactid"/>
        <filter type="and">
          <condition attribute="ownerid" operator="eq-userid"/>
          <condition attribute="statecode" operator="eq" value="0"/>
        </filter>
      </entity>
    </fetch>

# Contact: Notes ↔ Description. Pairs Body in Outlook with description in Dynamics. NONE keeps
# personal notes private. An Outlook body loses formatting, links and pictures on its way to the
# plain text.
fieldMapping:contact.notes: NONE

# Synchronize appointment attachments with Outlook or Exchange. Attachments of appointments travel
# both ways. Off by default, since they take up database space; never for recurring appointments
# and service activities.
appointmentAttachments: true

# Addresses synchronized in Outlook contacts. The mailing address only, which is enough for most
# organizations, or all three: Business, Home and Other.
mailingAddresses: ALL_THREE

# The default template “My Tasks” was removed.
filter:template.online.task.my-tasks:
  removed: true

# Task: the template that new users are given.
defaultTemplate:ONLINE:task: NONE
"""
    )


def test_all_that_can_be_chosen_is_written_where_it_is_asked_for() -> None:
    wanted = read(written(settled(FRESH), whole=True)).wanted
    counts = (len(wanted.switches), len(wanted.directions), len(wanted.filters), len(wanted.given))
    assert counts == (3, 59, 12, 12)
    assert wanted.addresses is MailingAddresses.MAILING_ONLY


def test_a_filter_is_read_with_what_is_said_of_it_and_no_more() -> None:
    reading = read(f"filter:{TASKS}:\n  active: false\n\n  name: My own\n")
    assert reading == Reading(
        wanted=Wanted(filters={TASKS: WantedFilter(active=False, name="My own")}),
        lines={f"filter:{TASKS}": 1},
        criteria={},
        misread=[],
    )
    reading = read("filter:a:\n  name: a\n  fetchXml: >\n    <fetch/>\n")
    assert reading.criteria == {"filter:a": 3}
    assert reading.wanted.filters["a"] == WantedFilter(name="a", criteria="<fetch/>\n")


def test_that_there_is_none_is_said() -> None:
    wanted = read("filter:a: {removed: true}\ndefaultTemplate:OFFLINE:task: NONE\n").wanted
    assert wanted == Wanted(filters={"a": None}, given={(OFFLINE, "task"): None})
    assert read("defaultTemplate:OFFLINE:task: a").wanted.given == {(OFFLINE, "task"): "a"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n...\n", "~", "{}", "\ufeff{}"])
def test_a_file_may_say_nothing(text: str) -> None:
    assert read(text) == Reading(Wanted(), {}, {}, [])


def test_an_anchor_stands_for_what_it_was_put_at() -> None:
    text = "assignedTasks: &on true\nresourceBookings: *on\n'appointmentAttachments': &on False\n"
    assert read(text).misread == []
    assert read(text).wanted.switches == {
        "assignedTasks": True,
        "resourceBookings": True,
        "appointmentAttachments": False,
    }


@pytest.mark.parametrize("line_feed", ["\n", "\r\n", "\r"])
def test_lines_are_counted_however_they_end(line_feed: str) -> None:
    text = "assignedTasks: true\n\nmailingAddresses: TWO\n".replace("\n", line_feed)
    assert misread(text) == [(3, "mailingAddresses is MAILING_ONLY or ALL_THREE, not 'TWO'.")]


SETTINGS = "Settings are a mapping: each by its key, such as assignedTasks: true, not "
FILTER = "filter:a is a mapping of what it should be, or `removed: true`, not "
ALONE = "filter:a: `removed: true` stands alone, or is left out."
MERGED = "Nothing is merged here: write out what `<<` stands for."
DIRECTED = "Leave this out: nothing is directed here."
WORDS = "NONE or TO_EXCHANGE or TO_CRM or BOTH"
FORM = (
    "A filter's key is 1 to 128 of a-z, 0-9, '.', '-' and '_', and begins and ends with a letter "
    "or digit, not "
)
OFFER = "New users are given nothing by"
NEAR = "Did you mean"
ACCOUNTS = (
    f"{NEAR} defaultTemplate:OFFLINE:account or defaultTemplate:ONLINE:contact or "
    "defaultTemplate:ONLINE:fax?"
)
TASKS_OR_FAXES = (
    f"{NEAR} defaultTemplate:ONLINE:fax or defaultTemplate:ONLINE:task or "
    "defaultTemplate:OFFLINE:task?"
)

MISREAD: dict[str, list[str]] = {
    # keys
    "# head\n\nassignedTask: true": [
        f"3 There is no setting 'assignedTask'. {NEAR} assignedTasks?"
    ],
    "environment.name: x": ["1 There is no setting 'environment.name'. Leave it out."],
    "filter: x": [f"1 There is no setting 'filter'. {NEAR} filter:?"],
    f"? {'x' * 900}\n: x": [f"1 There is no setting '{'x' * 79}…'. Leave it out."],
    "true: 1\n2: 3": [
        "1 There is no setting 'true'. Leave it out.",
        "2 There is no setting '2'. Leave it out.",
    ],
    "? [a]\n: 1\n? {b: 1}\n: 1": [
        "1 A key is a word, not a list.",
        "3 A key is a word, not a mapping.",
    ],
    "!x assignedTasks: true": ["1 A key is a word, not the tag '!x'."],
    "assignedTasks: on\nassignedTasks: true": [
        "1 assignedTasks is true or false, not 'on'.",
        "2 'assignedTasks' stands on line 1 already.",
    ],
    # switches
    "assignedTasks: yes": ["1 assignedTasks is true or false, not 'yes'."],
    'assignedTasks: "true"': ["1 assignedTasks is true or false, not 'true'."],
    "assignedTasks: 1": ["1 assignedTasks is true or false, not 1."],
    "assignedTasks:\nresourceBookings: ~": [
        "1 assignedTasks is true or false, not nothing.",
        "2 resourceBookings is true or false, not nothing.",
    ],
    "assignedTasks: 2026-99-99": ["1 assignedTasks is true or false, not 2026-99-99."],
    "assignedTasks: !!bool no": ["1 assignedTasks is true or false, not no."],
    "assignedTasks: !on true": ["1 assignedTasks is true or false, not the tag '!on'."],
    "assignedTasks: !!python/object:os.system x": ["1 assignedTasks is true or false, not x."],
    f"assignedTasks: {'9' * 5_000}": [f"1 assignedTasks is true or false, not '{'9' * 79}…'."],
    'assignedTasks: !!int "\\e[2J"': ["1 assignedTasks is true or false, not '\\x1b[2J'."],
    # words
    "mailingAddresses: all_three": [
        "1 mailingAddresses is MAILING_ONLY or ALL_THREE, not 'all_three'."
    ],
    "fieldMapping:contact.notes: BOTHWAYS": [
        f"1 fieldMapping:contact.notes is {WORDS}, not 'BOTHWAYS'."
    ],
    '"fieldMapping:\\e": [BOTH]': [f"1 'fieldMapping:\\x1b' is {WORDS}, not a list."],
    # filters
    "filter:A b: {removed: true}": [f"1 {FORM}'A b'."],
    "'filter:': {name: x}": [f"1 {FORM}''."],
    "filter:a: true": [f"1 {FILTER}true."],
    "filter:a: !x {name: a}": [f"1 {FILTER}the tag '!x'."],
    "filter:a: !!set {name}": [f"1 {FILTER}a mapping."],
    "filter:a:\n  removed: false": [f"2 {ALONE}"],
    "filter:a:\n  name: a\n  removed: true": [f"3 {ALONE}"],
    "filter:a:\n  removed: 1": ["2 removed is true or false, not 1.", f"2 {ALONE}"],
    "filter:a:\n  nam: a\n  colour: red": [
        f"2 A filter has no 'nam'. {NEAR} name?",
        "3 A filter has no 'colour'. Leave it out.",
    ],
    "filter:a:\n  name: 007\n  description:\n  table: [task]": [
        "2 The name of filter:a is a text, not 007. Put it in quotes.",
        "3 The description of filter:a is a text, not nothing. Put it in quotes.",
        "4 The table of filter:a is a text, not a list. Put it in quotes.",
    ],
    "filter:a:\n  role: system\n  kind: Online\n  active: on": [
        "2 The role of filter:a is SYSTEM_FILTER or USER_FILTER_TEMPLATE, not 'system'.",
        "3 The kind of filter:a is ONLINE or OFFLINE, not 'Online'.",
        "4 The active of filter:a is true or false, not 'on'.",
    ],
    "filter:a:\n  name: a\n  name: b": ["3 'name' stands on line 2 already."],
    "filter:a: &a {name: a}\nfilter:b:\n  <<: *a\n<<: {assignedTasks: true}": [
        f"3 {MERGED}",
        f"4 {MERGED}",
    ],
    # what new users are given
    "defaultTemplate:ONLINE:accont: a": [f"1 {OFFER} 'defaultTemplate:ONLINE:accont'. {ACCOUNTS}"],
    "'defaultTemplate:': a": [f"1 {OFFER} 'defaultTemplate:'. {TASKS_OR_FAXES}"],
    "defaultTemplate:ONLINE:task: ''": [
        "1 defaultTemplate:ONLINE:task is the key of a template, or NONE, not ''."
    ],
    "defaultTemplate:ONLINE:task:": [
        "1 defaultTemplate:ONLINE:task is the key of a template, or NONE, not nothing."
    ],
    # what is no settings at all
    "- assignedTasks: true": [f"1 {SETTINGS}a list."],
    "\n\nassignedTasks": [f"3 {SETTINGS}'assignedTasks'."],
    "!!omap [assignedTasks: true]": [f"1 {SETTINGS}a list."],
    "a: {}\n---\nassignedTasks: true": [
        "2 Expected a single document in the stream, but found another document."
    ],
    "assignedTasks: true\n\tresourceBookings: true": [
        "2 While scanning for the next token, found character '\\t' that cannot start any token."
    ],
    "assignedTasks: true\nresourceBookings: *on": ["2 Found undefined alias 'on'."],
    "assignedTasks: true\nfilter:a: {name: b: c}": [
        "2 While parsing a flow mapping, expected ',' or '}', but got ':'."
    ],
    f"assignedTasks: true\nresourceBookings: {'[' * 9_000}": ["2 It is nested too deeply."],
    "assignedTasks: true\nx: '\x07'": ["2 A file cannot contain U+0007."],
    'assignedTasks: true\nx: "\\UFFFFFFFF"': ["2 There is no character \\UFFFFFFFF."],
    "%YAML 1.1\n---\nassignedTasks: yes": [
        "3 assignedTasks is true or false, not 'yes'.",
        f"1 {DIRECTED}",
    ],
    "%YAML 1.99\n---\nassignedTasks: true": [f"1 {DIRECTED}"],
    "%TAG ! tag:example.com:\n---\nassignedTasks: true": [f"1 {DIRECTED}"],
}


@pytest.mark.parametrize("text", MISREAD, ids=range(len(MISREAD)))
def test_what_is_not_understood_is_told_with_its_line(text: str) -> None:
    assert [f"{line} {message}" for line, message in misread(text)] == MISREAD[text]


def test_a_bomb_of_aliases_is_not_unfolded() -> None:
    steps_of_it = "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 40))
    text = f"a0: &a0 [x]\n{steps_of_it}assignedTasks: *a39\n"
    assert misread(text)[-1] == (41, "assignedTasks is true or false, not a list.")
    assert misread("&a assignedTasks: [*a]") == [(1, "assignedTasks is true or false, not a list.")]


def test_who_is_given_a_filter_that_is_misread_is_told_only_that() -> None:
    reading = read("filter:a: {colour: red}\ndefaultTemplate:ONLINE:task: a\n")
    assert reading.misread == [Misread(1, "A filter has no 'colour'. Leave it out.")]
    assert reading.wanted == Wanted()


SIGNS = [
    *"'\"!{}[],|>#\t\\\0~",
    "\n",
    "\r\n",
    "  ",
    ": ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<",
    "---",
    "...",
]
WORDS_OF_IT = [
    "true",
    "name",
    "removed",
    "filter:a",
    "assignedTasks",
    "defaultTemplate:ONLINE:task",
]
pieces = st.sampled_from([*SIGNS, *WORDS_OF_IT, "%YAML 1.1", "!!str ", "\\U00110000"])


@law(st.lists(pieces | st.characters(), max_size=25).map("".join))
def test_any_text_is_read_or_told_with_a_line(text: str) -> None:
    for line, message in read(text).misread:
        assert 1 <= line <= len(text.splitlines()) + 1
        assert message.isprintable()


def test_a_switch_is_asked_for_only_where_it_differs() -> None:
    reading = read("assignedTasks: true\nresourceBookings: false\n")
    found = steps(settled(FRESH).environment, reading.wanted)
    assert found.commands == (SwitchAssignedTasks(on=True),)


@pytest.mark.parametrize(
    "text",
    [
        "assignedTasks: !!bool [1]",
        "filter:template.online.task.my-tasks: {name: !!str [a, b]}",
        "defaultTemplate:ONLINE:task: !!str [a]",
        "mailingAddresses: !!str {ALL_THREE: 1}",
        "!!null {assignedTasks: true}",
        "!!null\nassignedTasks: true",
    ],
)
def test_a_tag_makes_nothing_of_what_it_is_not(text: str) -> None:
    reading = read(text)
    assert len(reading.misread) == 1
    assert reading.wanted == Wanted()
