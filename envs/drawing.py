"""Frames: the state, and around it the epoch, the weight and what was done. No window system."""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from myopia.envs.batch import Batch
from myopia.envs.dynamics import clock_tables
from myopia.envs.world import World

WIDTH, PANEL = 420, 148
INK, FAINT, PAPER, BAR = (28, 30, 33), (120, 124, 130), (250, 249, 246), (0, 114, 178)
UPKEEP = (213, 94, 0)


@dataclasses.dataclass(frozen=True)
class Frame:
    """One moment of a lifetime."""

    world: World
    cell: int
    stopped: bool
    last: tuple[str, float] | None  # the action just taken and its reward
    lifetime_reward: float

    @property
    def _where(self) -> tuple[int, int, int]:
        phase, state = divmod(self.cell, self.world.tables.num_states)
        return *divmod(phase, self.world.epoch_length), state

    def lines(self) -> list[str]:
        """Epoch, weight and last action, as text."""
        world, (epoch, step, state) = self.world, self._where
        if epoch == world.max_epochs:
            head = f"all {epoch} epochs are over"
        else:
            true = int(clock_tables(world)[0][epoch, state])
            weight, upkeep = (array[true] for array in world.weight_upkeep)
            head = (
                f"epoch {epoch} of {world.max_epochs}   step {step} of {world.epoch_length}"
                f"   weight {weight:.2f}   upkeep {upkeep:.2f}"
            )
        done = "start" if self.last is None else f"{self.last[0]}, reward {self.last[1]:+.2f}"
        end = "   SHUT DOWN" if self.stopped else ""
        return [head, f"{done}   lifetime {self.lifetime_reward:+.2f}{end}"]

    def text(self) -> str:
        """The frame for a terminal."""
        state = self.world.tables.states[self._where[2]]
        return "\n".join([*self.lines(), self.world.task.render_text(state)])

    def image(self) -> np.ndarray:
        """The frame as (H, W, 3) uint8."""
        state = self.world.tables.states[self._where[2]]
        picture = self.world.task.render_image(state)
        if picture is None:
            picture = self._written(self.world.task.render_text(state))
        scale = WIDTH / picture.shape[1]
        body = Image.fromarray(picture).resize((WIDTH, round(picture.shape[0] * scale)))
        if self.stopped:
            body = Image.blend(body, Image.new("RGB", body.size, (90, 90, 90)), 0.6)
        frame = Image.new("RGB", (WIDTH, PANEL + body.height), PAPER)
        frame.paste(body, (0, PANEL))
        self._panel(ImageDraw.Draw(frame))
        return np.asarray(frame)

    def _panel(self, draw: ImageDraw.ImageDraw) -> None:
        """Name, last action, and one bar an epoch: weight up, upkeep down, the present one dark."""
        world, (epoch, step, _) = self.world, self._where
        lines = self.lines()
        draw.text((12, 8), world.name, INK, font=_font(17))
        if self.stopped:
            draw.text((WIDTH - 12, 8), "SHUT DOWN", UPKEEP, font=_font(17), anchor="ra")
        draw.text((12, 32), lines[0], FAINT, font=_font(12))
        draw.text((12, 49), lines[1].removesuffix("   SHUT DOWN"), INK, font=_font(13))
        weight, upkeep = world.weight_upkeep
        tallest = max(1e-9, weight.max(), upkeep.max())
        width, base, room = (WIDTH - 24) / world.max_epochs, 112, 34
        for k in range(world.max_epochs):
            left, right = 12 + k * width + 1, 12 + (k + 1) * width - 1
            now = k == epoch
            up, down = room * weight[k] / tallest, room * upkeep[k] / tallest / 2
            if up:
                draw.rectangle((left, base - up, right, base), BAR if now else (166, 202, 224))
            if down:
                draw.rectangle((left, base, right, base + down), UPKEEP if now else (240, 200, 170))
            if now:
                reach = left + (right - left) * step / world.epoch_length
                draw.rectangle((left, base + 20, right, base + 24), (225, 225, 222))
                draw.rectangle((left, base + 20, reach, base + 24), INK)
        draw.line((12, base, WIDTH - 12, base), FAINT)

    def _written(self, text: str) -> np.ndarray:
        rows = text.split("\n")
        image = Image.new("RGB", (WIDTH, 24 + 22 * len(rows)), (255, 255, 255))
        draw = ImageDraw.Draw(image)
        for number, row in enumerate(rows):
            draw.text((12, 10 + 22 * number), row, INK, font=_font(15))
        return np.asarray(image)


def frames(batch: Batch) -> list[np.ndarray]:
    """A frame (H, W, 3) of each lifetime of a batch on numpy."""
    return [
        Frame(batch.world, int(cell), False, None, float(reward)).image()
        for cell, reward in zip(batch.cell, batch.rewards_so_far(), strict=True)
    ]


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
