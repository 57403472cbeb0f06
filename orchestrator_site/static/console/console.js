'use strict';
// A field that is searched by typing is drawn by select2, which leaves out the name of the field.
{
  const nameField = (select) => {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const drawn = select.nextElementSibling;
    if (!label || !drawn) return;
    for (const part of drawn.querySelectorAll('[role="combobox"], [role="textbox"]')) {
      part.removeAttribute('aria-labelledby');
      part.setAttribute('aria-label', `${label.textContent.trim()} ${select.selectedOptions[0]?.textContent ?? ''}`.trim());
    }
  };

  const nameAll = () => document.querySelectorAll('select.admin-autocomplete').forEach(nameField);

  window.addEventListener('load', () => {
    const jQuery = window.django?.jQuery;
    if (!jQuery) return;
    jQuery(nameAll); // after select2, which waits for jQuery too
    jQuery(document).on('change', 'select.admin-autocomplete', nameAll);
    jQuery(document).on('select2:open', (event) => {
      const label = document.querySelector(`label[for="${event.target.id}"]`);
      const search = document.querySelector('.select2-container--open .select2-search__field');
      if (label && search) search.setAttribute('aria-label', `Search: ${label.textContent.trim()}`);
      document.querySelector('.select2-container--open [role="listbox"]')?.setAttribute('aria-label', 'Found');
    });
  });
}
