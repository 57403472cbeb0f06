"""What every page of the admin console shares: verbs instead of saves, acts instead of deletes, the chain.

The console writes nothing itself. A form is handed to a verb of the product, which writes the change and its
audit row in one transaction; what the verb refuses is shown at the form's fields. Nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from pipelines.admin import history
from pipelines.errors import Refusal
from pipelines.models import User

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
    ModelChoiceField = forms.ModelChoiceField[Any]
else:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm
    ModelChoiceField = forms.ModelChoiceField

Values = dict[str, Any]
_REFUSAL: Final = "_console_refusal"  # where a request keeps what a verb refused
_CONFIRMED: Final = "confirmed"
_FROM_ROW: Final = "from_row"
_SHOWN: Final = 20  # rows named on the page of an act


# --- forms ----------------------------------------------------------------------------------------------


def show_refusal(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put what a verb refused at the fields it names, or above the form."""
    at_fields = [(field, message) for field, message in refusal.errors if field in form.fields]
    if not at_fields:
        form.add_error(None, refusal.message)
    for field, message in at_fields:
        form.add_error(field, refusal.message if len(at_fields) == 1 else message)


class ConsoleForm(ModelForm):
    """A form over a model; its values go to a verb. ``refusal`` is what the verb said to them."""

    refusal: ClassVar[Refusal | None] = None

    def clean(self) -> Values:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal is not None:
            show_refusal(self, self.refusal)
        return cleaned


class SearchedChoice(ModelChoiceField):
    """One row of the model that a foreign key points to, searched for by typing."""

    def __init__(self, field: Any, **options: Any) -> None:
        widget = AutocompleteSelect(field, admin.site)
        super().__init__(field.remote_field.model._default_manager.all(), widget=widget, **options)


# --- acts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """Something done with rows beside changing fields: an action of the list and a button on the page.

    run: gets who acts, the rows it applies to and the form's values; gives a sentence about what was done.
    explain: what will happen, for who has to confirm it. applies: whether it can be done with a row.
    in_list, on_page: where it is offered. danger: it takes something away. whole: when it is refused for one
    row it is done with none; not so where the verb keeps why it refused.
    """

    name: str
    label: str
    explain: str
    run: Callable[[HttpRequest, list[Any], Values], str]
    applies: Callable[[Any], bool] = lambda row: True
    form: type[forms.Form] = forms.Form
    in_list: bool = True
    on_page: bool = True
    danger: bool = False
    whole: bool = True


def each(
    verb: Callable[..., object], done: str, **options: Any
) -> Callable[[HttpRequest, list[Any], Values], str]:
    """The ``run`` of an act that calls ``verb(row, actor=...)`` for every row; ``done`` is the participle."""

    def run(request: HttpRequest, rows: list[Any], values: Values) -> str:
        for row in rows:
            verb(row, actor=request.user, **options, **values)
        return f"{named(rows)}: {done}."

    return run


def named(rows: Sequence[Any]) -> str:
    """The rows in a sentence."""
    shown = ", ".join(str(row) for row in rows[:5])
    return f"{shown} and {len(rows) - 5} more" if len(rows) > 5 else shown


# --- lists ----------------------------------------------------------------------------------------------


class ConsoleList(ChangeList):
    """A list under its plain name, whose admin may add to the rows of the page what costs one more query."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        super().__init__(request, *args, **options)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        assert isinstance(self.model_admin, ConsoleAdmin)  # noqa: S101 - no other admin has this list
        rows = list(self.result_list)
        self.model_admin.prepare_rows(rows)
        self.result_list = rows


class YesNo(admin.SimpleListFilter):
    """A filter with two sides; a subclass says what they are called and which rows are on the first."""

    yes: str
    no: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", self.yes), ("no", self.no)]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "yes":
            return self.those(queryset)
        if self.value() == "no":
            return queryset.exclude(pk__in=self.those(queryset).values("pk"))
        return queryset

    def those(self, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        raise NotImplementedError


class Archived(YesNo):
    title = "archived"
    parameter_name = "archived"
    yes, no = "Archived", "In use"

    def those(self, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.exclude(archived_at=None)


# --- the pages of a model -------------------------------------------------------------------------------


class ConsoleAdmin(ModelAdmin):
    """The pages of one model.

    A subclass says ``make`` and ``change``, the verbs behind its two forms, or leaves one out and has no such
    form; and its ``acts``. group: under which heading it stands. explain: one sentence above the list.
    """

    group: ClassVar[str]
    explain: ClassVar[str]
    adds: ClassVar[str] = ""  # what the add form makes, where that is not one of the rows
    acts: ClassVar[Sequence[Act]] = ()
    make: ClassVar[Callable[[Any, HttpRequest, Values], models.Model] | None] = None
    change: ClassVar[Callable[[Any, HttpRequest, Any, Values], object] | None] = None
    form = ConsoleForm
    add_form: ClassVar[type[ConsoleForm]] = ConsoleForm
    add_fields: ClassVar[Sequence[str]] = ()

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    save_on_top = False

    def prepare_rows(self, rows: list[Any]) -> None:
        """Add to the rows of a page of the list what is asked for all of them at once."""

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The row of an address; 404 when there is none."""
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return obj

    def events_of(self, obj: Any) -> models.QuerySet[Any]:
        """The rows of the audit chain that tell of a row."""
        return history.events_of(obj)

    # --- who may

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.make is not None and self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.change is not None and self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # --- forms

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": self.add_fields})]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        options.setdefault("form", self.form if change else self.add_form)
        made: Any = super().get_form(request, obj, change, **options)
        made.refusal = getattr(request, _REFUSAL, None)
        return made

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # what it points to has its own page in the console
        return field

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra = {"acts": [], "show_save_and_add_another": False, **(extra_context or {})}
        extra.setdefault("show_save_and_continue", object_id is not None)
        if object_id is None:
            extra["adds"] = self.adds or self.opts.verbose_name
            extra["title"] = f"New {extra['adds']}"
        if object_id is not None and (row := self.get_object(request, object_id)) is not None:
            extra["acts"] = [act for act in self.acts if act.on_page and act.applies(row)]
        try:
            return super().changeform_view(request, object_id, form_url, extra)
        except Refusal as refusal:
            # The transaction of the first pass is undone; the second shows the form with the refusal.
            setattr(request, _REFUSAL, refusal)
            return super().changeform_view(request, object_id, form_url, extra)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            assert self.change is not None  # noqa: S101 - the permission says so
            self.change(request, self.model._default_manager.get(pk=obj.pk), form.cleaned_data)
            obj.refresh_from_db()
        else:
            assert self.make is not None  # noqa: S101
            obj.__dict__.update(self.make(request, form.cleaned_data).__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing is saved beside the verb."""

    # --- history: the audit chain is the only one

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The verb has written to the audit chain."""

    log_change = log_addition

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.found(request, object_id)
        page = history.page(self.events_of(obj), request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "opts": self.opts,
            "original": obj,
            "page": page,
            "lines": [history.line(event) for event in page],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "console/history.html", context)

    # --- lists and acts

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return ConsoleList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"subtitle": self.explain, **(extra_context or {})})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Every act; those of one row are asked for by its page and not offered by the list."""
        return {act.name: (partial(_perform, act), act.name, act.label) for act in self.acts}

    def get_action_choices(self, request: HttpRequest, default_choices: Any = None) -> Any:
        asked = _FROM_ROW in request.POST or _CONFIRMED in request.POST
        offered = [(act.name, act.label) for act in self.acts if act.in_list or asked]
        return [("", "Choose what to do"), *offered]

    def perform(self, act: Act, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse:
        """The page that asks before an act, and the act when it was confirmed."""
        rows = list(queryset)
        chosen = [row for row in rows if act.applies(row)]
        confirmed = _CONFIRMED in request.POST
        form = act.form(request.POST if confirmed else None, label_suffix="")
        if not chosen:
            self.message_user(request, f"{act.label}: there is none to do it with.", messages.WARNING)
            return self._after(request, rows)
        if confirmed and form.is_valid():
            try:
                with transaction.atomic() if act.whole else nullcontext():
                    said = act.run(request, chosen, form.cleaned_data)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                self.message_user(request, said, messages.SUCCESS)
                return self._after(request, chosen)
        return self._ask(act, request, rows, chosen, form)

    def _ask(
        self, act: Act, request: HttpRequest, rows: list[Any], chosen: list[Any], form: forms.Form
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "opts": self.opts,
            "act": act,
            "chosen": chosen[:_SHOWN],
            "more": max(0, len(chosen) - _SHOWN),
            "left_out": len(rows) - len(chosen),
            "form": form,
            "media": self.media + form.media,
            "from_row": request.POST.get(_FROM_ROW, ""),
            "back": self._address_after(request, rows),
            "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "console/act.html", context)

    def _after(self, request: HttpRequest, rows: list[Any]) -> HttpResponse:
        return HttpResponseRedirect(self._address_after(request, rows))

    def _address_after(self, request: HttpRequest, rows: list[Any]) -> str:
        if request.POST.get(_FROM_ROW) and len(rows) == 1:
            return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[rows[0].pk])
        return request.get_full_path()


def _perform(
    act: Act, admin_of: ConsoleAdmin, request: HttpRequest, queryset: models.QuerySet[Any]
) -> HttpResponse:
    return admin_of.perform(act, request, queryset)


def actor_of(request: HttpRequest) -> User:
    """The site admin who acts; the console lets in nobody else."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def only(values: Mapping[str, Any], *names: str) -> Values:
    """The values of these fields."""
    return {name: values[name] for name in names if name in values}
