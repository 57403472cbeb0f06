import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { useLayoutEffect, useRef, type ReactNode } from 'react';
import { IconButton } from './Button';
import { cx } from './cx';
import css from './Dialog.module.css';

interface Props {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  footer: ReactNode;
  /** Set when the dialog is a form: Enter in a field submits it. */
  onSubmit?: () => void;
  /** For what must be read side by side. */
  wide?: boolean;
}

export function Dialog({ open, onClose, title, description, children, footer, onSubmit, wide = false }: Props) {
  const body = (
    <>
      <div className={css.body}>{children}</div>
      <div className={css.footer}>{footer}</div>
    </>
  );
  // There is no trigger to go back to: the focus returns to where it was.
  const before = useRef<Element | null>(null);
  // The content comes a moment later, perhaps with a field that takes the focus at once.
  useLayoutEffect(() => {
    if (open) before.current = document.activeElement;
  }, [open]);
  const goBack = (event: Event) => {
    event.preventDefault();
    if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
  };
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={css.veil} />
        <Radix.Content
          className={cx(css.dialog, wide && css.wide)}
          onOpenAutoFocus={toFirstField}
          onCloseAutoFocus={goBack}
          onEscapeKeyDown={(event) => {
            // An open list of choices in the dialog closes before the dialog does; code keeps Escape for itself.
            if (event.target instanceof Element && event.target.closest('[aria-expanded="true"], .cm-editor')) event.preventDefault();
          }}
          {...(description ? {} : { 'aria-describedby': undefined })}
        >
          <div className={css.head}>
            <div>
              <Radix.Title className={css.title}>{title}</Radix.Title>
              {description && <Radix.Description className={css.description}>{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close">
                <X />
              </IconButton>
            </Radix.Close>
          </div>
          {onSubmit ? (
            <form
              noValidate
              className={css.form}
              onSubmit={(event) => {
                event.preventDefault();
                onSubmit();
              }}
              onKeyDown={(event) => {
                // In a field of several lines Enter alone makes a line.
                if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
                event.preventDefault();
                event.stopPropagation();
                event.currentTarget.requestSubmit();
              }}
            >
              {body}
            </form>
          ) : (
            body
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A form begins in its first field, not on the button that closes it. */
function toFirstField(event: Event) {
  const field = event.currentTarget instanceof Element && event.currentTarget.querySelector<HTMLElement>(FIELD);
  if (!field) return;
  event.preventDefault();
  field.focus();
}

// Not a choice: where a dialog comes unasked, Enter meant for something else would make it.
const FIELD = ['input:not([type=radio], [type=checkbox])', 'select', 'textarea'].map((name) => `${name}:enabled:not([readonly])`).join(', ');
